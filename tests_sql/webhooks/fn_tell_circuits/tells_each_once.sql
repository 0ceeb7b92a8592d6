-- Mutants: a circuit that is told each time the clock ticks, or to customers who never called there; a flapping one that
-- is told each time; a key that is told dead at each refusal.
begin;
select plan(16);
select test.make_offer('shaky', 'model-a');
select test.make_customer(c, '{"webhook_url": "https://example.com/hook"}') from unnest('{caller,stranger}'::text[]) as c;
select test.make_customer('silent');
insert into ops.usage_hourly
select
    util.hash_key(c.name), date_trunc('hour', now()), now()::date, util.hash_key('test tenant'), '\x00',
    util.hash_key('shaky', c.model), 'completion', 'SUCCESS', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
from (values ('caller', 'model-a'), ('stranger', 'model-b'), ('silent', 'model-a')) as c (name, model);

create function pg_temp.tell(p_class text, p_times integer default 1, p_key bytea default null) returns void language sql as $$
    select gateway.fn_move_health((
        select jsonb_agg(jsonb_build_object('attempts', jsonb_build_array(jsonb_build_object(
            'offer', encode(util.hash_key('shaky', 'model-a'), 'hex'), 'key', encode(p_key, 'hex'), 'http_status', 500,
            'outcome', case when p_class is null then 'SUCCESS' else 'ERROR' end, 'class', p_class
        )))) from generate_series(1, p_times)
    ));
$$;
create function pg_temp.told(p_event text) returns integer language sql as $$
    select count(*)::integer from admin.webhook_delivery as d where d.event_type = p_event;
$$;

select pg_temp.tell('server_error', 2);
select is(ops.fn_tell_circuits(), 0, 'two failures are no event');
select pg_temp.tell('server_error');
select is(ops.fn_tell_circuits(), 1, 'three open the circuit');
select pg_temp.tell('server_error');
select is(ops.fn_tell_circuits(), 0, 'which is told once');
select is(pg_temp.told('circuit.opened'), 1);
select row_eq(
    $$select d.customer, (q.message ->> 'body')::jsonb -> 'data' ->> 'provider', (q.message ->> 'body')::jsonb -> 'data' ->> 'model',
        (q.message ->> 'body')::jsonb -> 'data' ->> 'error_class'
        from admin.webhook_delivery as d inner join pgmq.q_webhook as q on q.message ->> 'event' = d.event_id$$,
    row('caller'::text, 'shaky'::text, 'model-a'::text, 'server_error'::text), 'to whom it concerns'
);
select pg_temp.tell(null);
select is(ops.fn_tell_circuits(), 0, 'a success alone does not close it');
select pg_temp.tell('server_error', 3);
select is(ops.fn_tell_circuits(), 0, 'a circuit that flaps is one story');
select pg_temp.tell(null);
update ops.offer_health set last_failed_at = now() - interval '61 seconds' where true;
select is(ops.fn_tell_circuits(), 1, 'after a quiet minute it is closed');
select is(ops.fn_tell_circuits(), 0, 'once');
select is(pg_temp.told('circuit.closed'), 1);
select pg_temp.tell('server_error', 3);
select is(ops.fn_tell_circuits(), 1, 'and may open anew');

-- A customer's own key.
select admin.sp_set_provider_key('shaky', 'caller', null, '\x01', '\x02', 'k1', false);
select pg_temp.tell('auth_dead', 2, admin.sp_identify_provider_key('shaky', 'caller', null));
select is(pg_temp.told('provider_key.dead'), 1, 'a dead key is told to whom it belongs');
update ops.key_health set rests_until = now() - interval '1 second' where true;
select pg_temp.tell('auth_dead', 1, admin.sp_identify_provider_key('shaky', 'caller', null));
select is(pg_temp.told('provider_key.dead'), 1, 'not at each refusal');
select pg_temp.tell(null, 1, admin.sp_identify_provider_key('shaky', 'caller', null));
select pg_temp.tell('money_dead', 1, admin.sp_identify_provider_key('shaky', 'caller', null));
select is(pg_temp.told('provider_key.dead'), 2, 'but again when it had been taken meanwhile');
select admin.sp_set_provider_key('shaky', null, 'spare', '\x03', '\x04', 'k1', false);
select pg_temp.tell('auth_dead', 1, admin.sp_identify_provider_key('shaky', null, 'spare'));
select is(pg_temp.told('provider_key.dead'), 2, 'a key of the house is no customer''s business');
select is((select j.last_error from ops.job as j where j.job_name = 'tell circuits'), null, 'the clock knows it');
select * from finish();
rollback;
