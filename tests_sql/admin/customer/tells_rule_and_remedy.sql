begin;
select plan(4);
insert into admin.customer (customer) values ('Acme');
create temporary table told (code text, rule text, message text, hint text);
do $$
declare
    v_told told;
begin
    update admin.customer set priority_tier = 'GOLD' where customer = 'Acme';
exception
    when others then
        get stacked diagnostics v_told.code = returned_sqlstate, v_told.rule = constraint_name,
            v_told.message = message_text, v_told.hint = pg_exception_hint;
        insert into told select v_told.*;
end
$$;
select is((select code from told), 'VG400', 'a code');
select is((select rule from told), 'priority_tier_is_known', 'the rule''s name');
select is((select message from told), 'This tier is not known', 'a sentence');
select is((select hint from told), 'Use BASIC, STANDARD or PREMIUM.', 'the remedy');
select * from finish();
rollback;
