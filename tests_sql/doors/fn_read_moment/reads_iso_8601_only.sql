begin;
select plan(12);
select is(gateway.fn_read_moment(m.given, 'Europe/Berlin'), m.wanted, m.given)
from (values
    ('2026-07-01', timestamptz '2026-06-30 22:00+00'), ('2026-07-01T12:00', '2026-07-01 10:00+00'),
    ('2026-07-01 12:00:00.5', '2026-07-01 10:00:00.5+00'), ('2026-07-01T12:00:00Z', '2026-07-01 12:00+00'),
    ('2026-07-01T12:00:00+02:00', '2026-07-01 10:00+00'), ('2026-07-01T12:00-0130', '2026-07-01 13:30+00'),
    ('now', null), ('tomorrow', null), ('2026-02-30', null), ('2026-07-01T24:01:00', null), ('01.07.2026', null), ('', null)
) as m (given, wanted);
select * from finish();
rollback;
