create or replace function admin.tg_routing_rule_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := admin.fn_check_name('rule', new.rule_name);
    v_rule_hk bytea := util.hash_key(v_name);
begin
    perform admin.fn_lock_name('rule', v_name);
    if exists (
        select from gateway.routing_rule_s as s where s.routing_rule_hk = v_rule_hk and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'rule_is_new', format('The rule %s exists already', quote_literal(v_name)),
            'Update it, or choose another name.'
        );
    end if;
    perform util.fn_load_hub('gateway.routing_rule_h', v_rule_hk, v_name, session_user);
    perform admin.fn_save_satellite(
        'gateway.routing_rule_s', jsonb_build_object('routing_rule_hk', v_rule_hk),
        jsonb_build_object('rule_name', v_name, 'conditions', '{}'::jsonb)
        || jsonb_strip_nulls(admin.fn_pack_rule(to_jsonb(new)))
    );
    perform admin.fn_warn_of_shadow(v_rule_hk);
    select r.* into new from admin.routing_rule as r where r.rule_name = v_name;
    return new;
end
$$;

create or replace function admin.tg_routing_rule_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{rule_name}', 'A rule keeps its name; insert another one and delete this one.'
    );
    perform admin.fn_save_satellite(
        'gateway.routing_rule_s', jsonb_build_object('routing_rule_hk', util.hash_key(old.rule_name)),
        admin.fn_pack_rule(to_jsonb(new))
    );
    perform admin.fn_warn_of_shadow(util.hash_key(old.rule_name));
    select r.* into new from admin.routing_rule as r where r.rule_name = old.rule_name;
    return new;
end
$$;

create or replace function admin.tg_routing_rule_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_end_satellite(
        'gateway.routing_rule_s', jsonb_build_object('routing_rule_hk', util.hash_key(old.rule_name)),
        '{"is_active": false}'
    );
    return old;
end
$$;

create trigger routing_rule_insert instead of insert on admin.routing_rule
for each row execute function admin.tg_routing_rule_insert();
create trigger routing_rule_update instead of update on admin.routing_rule
for each row execute function admin.tg_routing_rule_update();
create trigger routing_rule_delete instead of delete on admin.routing_rule
for each row execute function admin.tg_routing_rule_delete();

comment on function admin.tg_routing_rule_insert() is 'INSERT on admin.routing_rule: hub and a version, compiled.';
comment on function admin.tg_routing_rule_update() is 'UPDATE on admin.routing_rule: a new version, compiled.';
comment on function admin.tg_routing_rule_delete() is 'DELETE on admin.routing_rule: the last version ends.';
