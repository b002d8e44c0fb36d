select distinct unnest(projects) as project_name
from listed
