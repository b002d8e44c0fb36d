# mysql2's prepared statements.
require "mysql2"
require "json"
require "digest"
ASKED = JSON.parse(ENV["ASKED"])
CLIENT = Mysql2::Client.new(host: ENV["HOST"], port: ENV["PORT"].to_i, username: ENV["NAME"], password: ENV["PASS"])
def said(step, answer)
  puts "did #{step} #{Digest::SHA256.hexdigest(answer.inspect)[0, 16]} #{answer.inspect[0, 200]}"
end
def ask(statement, *values)
  CLIENT.prepare(statement).execute(*values).to_a
end
said("connect", ask("select 1 + 1"))
said("list", ask("show tables from ibl_behavior").flat_map(&:values).include?(ASKED["TABLE"]))
said("describe", ask("describe ibl_behavior.#{ASKED["TABLE"]}")[3])
said("parameters", ask(ASKED["PARAMETERS"], "M", 1, "2018-01-01"))
key = ask("select subject_uuid from ibl_subject.subject order by 1 limit 1")[0]["subject_uuid"]
said("key", ask(ASKED["KEY"], key))
said("sessions", ask(ASKED["SESSIONS"]))
said("trials", ask(ASKED["TRIALS"]))
