-- Made anew before anything of this transaction waits for it. Its function is called at the end only.
create or replace function ops.tg_epoch_moved() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_epoch ops.epoch;
    v_failed record;
begin
    -- One look for all changes of a transaction: each queues this trigger, the first to run sees them all.
    select e.* into v_epoch from ops.epoch as e;
    if v_epoch.tested_number >= v_epoch.number then
        return null;
    end if;
    select
        count(*) as failed,
        string_agg(format('%s: %s', quote_literal(t.test_name), t.complaint), '; ' order by t.test_name) as what
    into v_failed
    from admin.test_rules() as t where t.complaint is not null;
    if v_failed.failed > 0 then
        perform admin.fn_refuse_change(
            409, 'rule_tests_hold',
            format('%s test(s) of the rulebook would fail after this change: %s', v_failed.failed, left(v_failed.what, 2000)),
            'Mend the change, or change the rows of admin.routing_rule_test in the same transaction.'
        );
    end if;
    update ops.epoch set tested_number = number where only_row;
    return null;
end
$$;

comment on function ops.tg_epoch_moved() is 'Refuses to commit what breaks a test of the rulebook.';

drop trigger if exists epoch_moved on ops.epoch;
create constraint trigger epoch_moved after update of number on ops.epoch deferrable initially deferred
for each row execute function ops.tg_epoch_moved();

create or replace function ops.tg_routing_rule_test_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_lock_routing();
    perform ops.fn_next_epoch();
    return null;
end
$$;

comment on function ops.tg_routing_rule_test_s_changed() is 'A test that is new or changed is looked at as well.';

create or replace trigger routing_rule_test_s_changed after insert or update on gateway.routing_rule_test_s
for each statement execute function ops.tg_routing_rule_test_s_changed();
