-- Mutants: a limit that is the offer's fault, a rest that forgets what the provider asked, a dead key that hides behind
-- its limit, a key that is told dead each time.
begin;
select plan(14);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_customer('caller');
select admin.sp_set_provider_key('maker', 'caller', null, sha256('own'), '\x01', 'k1', false);
create function pg_temp.key() returns bytea language sql as $$
    select admin.sp_identify_provider_key('maker', 'caller', null);
$$;
create function pg_temp.tell(p_class text, p_status integer, p_retry_after_ms bigint default null) returns void
language sql as $$
    select gateway.fn_move_health(jsonb_build_array(jsonb_build_object('attempts', jsonb_build_array(jsonb_build_object(
        'offer', encode(util.hash_key('maker', 'model-a'), 'hex'), 'key', encode(pg_temp.key(), 'hex'),
        'outcome', case when p_class is null then 'SUCCESS' else 'ERROR' end, 'class', p_class, 'http_status', p_status,
        'retry_after_ms', p_retry_after_ms
    )))));
$$;
create function pg_temp.rest() returns numeric language sql as $$
    select round(extract(epoch from k.rests_until - k.last_refused_at), 3) from ops.key_breaker as k;
$$;
select pg_temp.tell('rate_limited', 429, 7500);
select is(pg_temp.rest(), 7.5, 'a limited key rests as long as the provider asks');
select is((select count(*) from ops.offer_health), 0::bigint, 'its offer does not');
select is(
    (k.provider, k.customer, k.key_name, k.last_error_class)::text, '(maker,caller,own,rate_limited)', 'and people see whose it is'
)
from ops.key_breaker as k;
select is((select r.key_status from gateway.sp_read_provider_key(pg_temp.key()) as r), 'RESTING', 'workers do not open it');
select pg_temp.tell('auth_dead', 401);
select is(k.last_error_class, 'auth_dead', 'a limited key may turn out to be dead') from ops.key_breaker as k;
select is(pg_temp.rest(), 120::numeric, 'and rests for longer');
select pg_temp.tell('rate_limited', 429, 1);
select is(k.last_error_class, 'auth_dead', 'a limit does not wake it') from ops.key_breaker as k;
select pg_temp.tell(null, 200);
select is((select count(*) from ops.key_health), 0::bigint, 'taken, it is well');
select pg_temp.tell('rate_limited', 429);
select is(pg_temp.rest(), 1::numeric, 'who does not say how long is asked again in a second');
update ops.key_health set rests_until = last_refused_at where true;
select pg_temp.tell('rate_limited', 429);
select is(pg_temp.rest(), 2::numeric, 'then in two');
select admin.sp_set_provider_key('maker', 'caller', null, sha256('another'), '\x02', 'k1', false);
select is((select count(*) from ops.key_health), 0::bigint, 'set anew, it is another key');
-- Who brought it is told.
update admin.customer set webhook_url = 'https://caller.example/hook' where customer = 'caller';
create function pg_temp.told() returns text[] language sql as $$
    select array(
        select b.data ->> 'error_class' || ' ' || (b.data ->> 'key_name')
        from pgmq.q_webhook as q cross join lateral (select (q.message ->> 'body')::jsonb -> 'data' as data) as b order by q.msg_id
    );
$$;
select pg_temp.tell('rate_limited', 429, 1);
select is(pg_temp.told(), '{}', 'a limit is no death');
select pg_temp.tell('auth_dead', 401);
update ops.key_health set rests_until = last_refused_at where true;
select pg_temp.tell('auth_dead', 401);
select is(pg_temp.told(), '{auth_dead own}', 'it dies once');
select pg_temp.tell(null, 200);
select pg_temp.tell('money_dead', 402);
select is(pg_temp.told(), '{auth_dead own,money_dead own}', 'and, taken again, once more');
select * from finish();
rollback;
