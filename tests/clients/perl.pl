# DBD::mysql and DBD::MariaDB: tables(), and statements that the server prepares.
use strict;
use warnings;
use DBI;
use JSON::PP;
use Digest::SHA qw(sha256_hex);
use Data::Dumper;
$Data::Dumper::Indent = 0;
$Data::Dumper::Sortkeys = 1;
my $client = $ARGV[0];
my $asked = decode_json($ENV{ASKED});
my $low = $client eq "mysql" ? "mysql_" : "mariadb_";
my $db = DBI->connect("dbi:$client:database=ibl_behavior;host=$ENV{HOST};port=$ENV{PORT}",
    $ENV{NAME}, $ENV{PASS}, { RaiseError => 1, PrintError => 0, "${low}server_prepare" => 1 });
sub said { my ($step, $answer) = @_; my $written = Dumper($answer);
    print "did $step ", substr(sha256_hex(utf8::is_utf8($written) ? do { my $w = $written; utf8::encode($w); $w } : $written), 0, 16), "\n"; }
sub ask { my ($statement, @values) = @_; my $s = $db->prepare($statement); $s->execute(@values); return $s->fetchall_arrayref; }
said("connect", ask("select 1 + 1"));
said("list", scalar(grep { /$asked->{TABLE}/ } $db->tables(undef, undef, "%", "TABLE")) > 0 ? 1 : 0);
said("describe", ask("describe ibl_behavior.$asked->{TABLE}")->[3]);
said("parameters", ask($asked->{PARAMETERS}, "M", 1, "2018-01-01"));
my $key = ask("select subject_uuid from ibl_subject.subject order by 1 limit 1")->[0][0];
my $s = $db->prepare($asked->{KEY});
$s->bind_param(1, $key, DBI::SQL_BINARY);
$s->execute;
said("key", $s->fetchall_arrayref);
said("sessions", ask($asked->{SESSIONS}));
said("trials", ask($asked->{TRIALS}));
