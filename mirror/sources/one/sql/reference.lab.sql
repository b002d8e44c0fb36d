select
    mouse.lab as lab_name,
    lab.institution,
    lab.institution_short,
    lab.time_zone
from mouse
left join lab
    on lab.lab_name = mouse.lab
