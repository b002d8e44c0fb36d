select
    mouse.lab_name,
    any_value(lab.institution) as institution,
    any_value(lab.institution_short) as institution_short,
    any_value(lab.time_zone) as time_zone
from mouse
left join lab
    on lab.lab_name = mouse.lab_name
group by mouse.lab_name
