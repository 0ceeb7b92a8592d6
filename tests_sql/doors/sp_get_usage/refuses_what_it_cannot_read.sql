begin;
select plan(15);
select test.make_customer('user');
select test.make_token('user', 'calls only', '{"scopes": ["inference"]}');
select is(
    gateway.sp_get_usage(sha256('user/token'), p.params) - 'message',
    jsonb_build_object('status', 'invalid_request', 'http_status', 400, 'param', p.param, 'detail', jsonb_build_object('param', p.param)),
    p.params::text
)
from (values
    ('{"from": "yesterday"}'::jsonb, 'from'), ('{"from": "2026-02-30"}', 'from'), ('{"to": "infinity"}', 'to'),
    ('{"to": "2026-03-01T25:00:00Z"}', 'to'), ('{"from": "2026-03-02", "to": "2026-03-01"}', 'from'),
    ('{"group_by": ["colour"]}', 'group_by'), ('{"group_by": []}', 'group_by'), ('{"group_by": "day,,model"}', 'group_by'),
    ('{"limit": 0}', 'limit'), ('{"limit": 1001}', 'limit'), ('{"limit": "ten"}', 'limit'), ('{"limit": 1.5}', 'limit'),
    ('{"limit": "99999999999"}', 'limit')
) as p (params, param);
select is(
    (gateway.sp_get_usage(sha256('user/calls only'), '{}')) ->> 'status', 'scope_not_allowed', 'a token needs the scope'
);
select is((gateway.sp_get_usage('\x00', '{"limit": 0}')) ->> 'http_status', '401', 'and to be one, before anything else');
select * from finish();
rollback;
