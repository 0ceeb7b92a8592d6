begin;
select plan(25);
select test.make_offer('maker', 'model-a');
select test.make_customer('caller');
create temporary table door as
select * from (values ('inference', 'route'), ('inference', 'models'), ('usage', 'usage'), ('billing', 'billing')) as d (scope, name);
create function pg_temp.answer(p_door text, p_address text default null) returns jsonb
language sql as $$
    select case p_door
        when 'route' then to_jsonb(test.route(sha256('caller/token'), jsonb_build_object('client_ip', p_address)))
        when 'models' then gateway.sp_list_models(sha256('caller/token'), p_address)
        when 'usage' then gateway.sp_get_usage(sha256('caller/token'), '{}', p_address)
        when 'billing' then gateway.sp_get_billing(sha256('caller/token'), null, p_address)
    end;
$$;
select ok(pg_temp.answer(d.name) ->> 'http_status' = '200', d.name || ' serves a token with all scopes') from door as d;

update admin.token set scopes = '{admin}' where customer = 'caller';
select is((a.answer ->> 'status') || ' ' || (a.answer ->> 'http_status'), 'scope_not_allowed 403', d.name || ' refuses another scope')
from door as d cross join lateral pg_temp.answer(d.name) as a (answer);
select is(
    pg_temp.answer('usage') ->> 'message', 'This token may not be used for usage. Use one that has this scope.', 'and says what to do'
);

update admin.token set scopes = '{inference,usage,billing}', allowed_addresses = '{10.0.0.0/8,2001:db8::/32}' where customer = 'caller';
select ok(pg_temp.answer(d.name, '10.9.8.7') ->> 'http_status' = '200', d.name || ' serves an address on the list') from door as d;
select is((a.answer ->> 'status') || ' ' || (a.answer ->> 'http_status'), 'address_not_allowed 403', d.name || ' refuses another')
from door as d cross join lateral pg_temp.answer(d.name, '192.0.2.1') as a (answer);
select is(pg_temp.answer(d.name) ->> 'status', 'address_not_allowed', d.name || ' refuses one that is unknown') from door as d;
select is(
    pg_temp.answer('usage', '192.0.2.1') ->> 'message',
    'This token may not be used from 192.0.2.1. Call from a network that it was issued for, or have this one added to it.',
    'the caller learns his own address and no other'
);
select is((select count(*) from admin.explain_route('caller', '{"token": "caller/token"}') as e where e.chosen), 1::bigint,
    'what is explained without an address is explained for one on the list');
select is((select count(*) from admin.explain_route('caller', '{"token": "caller/token", "client_ip": "192.0.2.1"}') as e
    where e.reason like 'refused: This token may not be used from 192.0.2.1%'), 1::bigint, 'and with one as the road would say');
update admin.token set token_status = 'REVOKED' where customer = 'caller';
select is(pg_temp.answer('models', '10.9.8.7') ->> 'status', 'token_revoked', 'revoked comes first');
select * from finish();
rollback;
