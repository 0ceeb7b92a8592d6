-- As long as the warm prompt makes it no dearer than elsewhere; never against health, and for the customer's own words only.
begin;
select plan(9);
select test.make_offer('maker', 'model-a', 10, 1);
select test.make_price(util.hash_key('maker', 'model-a'), 'cache_read', 1);
select test.make_price(util.hash_key('maker', 'model-a'), 'cache_write', 10);
select test.make_offer('rival', 'model-a', 9, 1);
select test.make_customer('caller');
select test.make_customer('other');
create function test.go(p_session text, p_who text default 'caller') returns text language sql as $$
    select d.provider || ': ' || split_part(d.route_reason, ': ', 2)
    from test.route(sha256(convert_to(p_who || '/token', 'UTF8')), jsonb_build_object(
        'prompt_bytes', 4000, 'max_output_tokens', 10, 'session', encode(sha256(convert_to(p_session, 'UTF8')), 'hex')
    )) as d
$$;
insert into admin.routing_rule (rule_name, is_sticky) values ('sticky', true);
update admin.price set usd_per_million = 20 where provider = 'rival' and meter = 'input';
select is(test.go('one'), 'maker: cheapest offer that fits', 'the first call goes where it is cheapest');
update admin.price set usd_per_million = 9 where provider = 'rival' and meter = 'input';
select is(test.go('one'), 'maker: stays with its conversation', 'the next stays, though another has become cheaper');
select is(test.go('two'), 'rival: cheapest offer that fits', 'another conversation goes its own way');
select is(test.go('one', 'other'), 'rival: cheapest offer that fits', 'and so does another customer''s of the same name');
update admin.price set usd_per_million = 0.1 where provider = 'rival' and meter in ('input', 'output');
select is(test.go('one'), 'rival: cheapest offer that fits', 'it leaves when staying no longer pays');
update admin.price set usd_per_million = 9 where provider = 'rival' and meter = 'input';
insert into ops.offer_health (offer_hk, rests_until) values (util.hash_key('rival', 'model-a'), now() + interval '1 hour');
select is(test.go('one'), 'maker: cheapest offer that fits', 'or when its offer rests');
update ops.conversation set expires_at = clock_timestamp() - interval '1 second' where true;
delete from ops.offer_health where true;
select is(test.go('one'), 'rival: cheapest offer that fits', 'a prompt that has grown cold holds nobody');
select is(ops.fn_forget_conversations(), 2, 'cold conversations are forgotten');
select is((select count(*) from ops.conversation), 1::bigint, 'warm ones not');
select * from finish();
rollback;
