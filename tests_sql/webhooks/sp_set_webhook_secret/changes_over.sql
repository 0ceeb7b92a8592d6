-- Mutants: an overlap that never ends, a secret that takes another's place unseen, one that outlives its customer.
begin;
select plan(11);
select test.make_customer('told', '{"webhook_url": "https://example.com/hook"}');
create function pg_temp.set(p_secret text, p_overlap interval) returns integer language sql as $$
    select admin.sp_set_webhook_secret(
        'told', admin.sp_identify_webhook_secret('told'), convert_to(p_secret, 'UTF8'), convert_to(p_secret, 'UTF8'), 'k1', p_overlap
    );
$$;
-- Who signs what is read now.
create function pg_temp.signers() returns text language plpgsql as $$
declare
    v_signers text;
begin
    delete from pgmq.q_webhook where true;
    perform gateway.fn_notify(util.hash_key('told'), 'bill.ready', '{}');
    select string_agg(convert_from(s.secret, 'UTF8'), ',' order by s.place) into v_signers
    from gateway.sp_read_webhooks(1, 30) as r cross join unnest(r.secrets) with ordinality as s (secret, place);
    return v_signers;
end
$$;
select is(pg_temp.set('first', '24 hours'), 1);
select is(pg_temp.signers(), 'first');
select is(pg_temp.set('second', '24 hours'), 2);
select is(pg_temp.signers(), 'second,first', 'for a day both sign, the newest first');
select is(
    (select count(*)::integer from ops.sealed_secret as s where s.kind = 'webhook secret'), 2, 'a change of the master key finds both'
);
update gateway.webhook_secret_s set valid_to = now() where valid_to < 'infinity';
select is(pg_temp.signers(), 'second', 'then the new one alone');
select is(
    (select count(*)::integer from ops.sealed_secret as s where s.kind = 'webhook secret'), 1, 'and the other is nobody''s any more'
);
select pg_temp.set('third', '0');
select is(pg_temp.signers(), 'third', 'or at once');
select throws_ok(
    $$select admin.sp_set_webhook_secret('told', '\x00', '\x01', '\x02', 'k1', '0')$$, 'VG409', null,
    'what was sealed for another place is refused'
);
select throws_ok($$select pg_temp.set('fourth', '0') from admin.sp_identify_webhook_secret('nobody')$$, 'VG404', null, 'nobody has none');
delete from admin.customer where customer = 'told';
select is(
    (select count(*)::integer from ops.sealed_secret as s where s.kind = 'webhook secret'), 0, 'it ends with its customer'
);
select * from finish();
rollback;
