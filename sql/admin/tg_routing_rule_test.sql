create or replace function admin.fn_pack_rule_test(p_row jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_customer_hk bytea := admin.fn_find_customer(p_row ->> 'customer');
begin
    if jsonb_typeof(p_row -> 'request') = 'object' then
        perform admin.fn_read_request(p_row -> 'request');
    end if;
    return jsonb_build_object(
        'customer_hk', v_customer_hk,
        'tenant_hk', (select c.tenant_hk from gateway.customer_h as c where c.customer_hk = v_customer_hk),
        'request', p_row -> 'request',
        'expected_provider', nullif(btrim(p_row ->> 'expected_provider'), ''),
        'expected_model', nullif(btrim(p_row ->> 'expected_model'), ''),
        'expected_rule', nullif(btrim(p_row ->> 'expected_rule'), ''),
        'is_denied', p_row -> 'is_denied',
        'is_active', p_row -> 'is_active'
    );
end
$$;

comment on function admin.fn_pack_rule_test(jsonb) is
'A row of admin.routing_rule_test as a payload for routing_rule_test_s, checked.';

create or replace function admin.tg_routing_rule_test_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := admin.fn_check_name('test', new.test_name);
    v_test_hk bytea := util.hash_key(v_name);
begin
    perform admin.fn_lock_name('routing_rule_test', v_name);
    if exists (
        select from gateway.routing_rule_test_s as s
        where s.routing_rule_test_hk = v_test_hk and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'test_is_new', format('The test %s exists already', quote_literal(v_name)),
            'Update it, or choose another name.'
        );
    end if;
    perform util.fn_load_hub('gateway.routing_rule_test_h', v_test_hk, v_name, session_user);
    perform admin.fn_save_satellite(
        'gateway.routing_rule_test_s', jsonb_build_object('routing_rule_test_hk', v_test_hk),
        jsonb_build_object('test_name', v_name) || jsonb_strip_nulls(admin.fn_pack_rule_test(to_jsonb(new)))
    );
    select t.* into new from admin.routing_rule_test as t where t.test_name = v_name;
    return new;
end
$$;

create or replace function admin.tg_routing_rule_test_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{test_name}', 'A test keeps its name; insert another one and delete this one.'
    );
    perform admin.fn_save_satellite(
        'gateway.routing_rule_test_s', jsonb_build_object('routing_rule_test_hk', util.hash_key(old.test_name)),
        admin.fn_pack_rule_test(to_jsonb(new))
    );
    select t.* into new from admin.routing_rule_test as t where t.test_name = old.test_name;
    return new;
end
$$;

create or replace function admin.tg_routing_rule_test_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_end_satellite(
        'gateway.routing_rule_test_s', jsonb_build_object('routing_rule_test_hk', util.hash_key(old.test_name)),
        '{"is_active": false}'
    );
    return old;
end
$$;

create trigger routing_rule_test_insert instead of insert on admin.routing_rule_test
for each row execute function admin.tg_routing_rule_test_insert();
create trigger routing_rule_test_update instead of update on admin.routing_rule_test
for each row execute function admin.tg_routing_rule_test_update();
create trigger routing_rule_test_delete instead of delete on admin.routing_rule_test
for each row execute function admin.tg_routing_rule_test_delete();

comment on function admin.tg_routing_rule_test_insert() is 'INSERT on admin.routing_rule_test: hub and a version.';
comment on function admin.tg_routing_rule_test_update() is 'UPDATE on admin.routing_rule_test: a new version.';
comment on function admin.tg_routing_rule_test_delete() is 'DELETE on admin.routing_rule_test: the last version ends.';
