create or replace function admin.tg_legal_entity_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := admin.fn_check_name('legal entity', new.legal_entity);
begin
    if not util.fn_load_hub('gateway.legal_entity_h', util.hash_key(v_name), v_name, session_user) then
        perform admin.fn_refuse_change(
            409, 'legal_entity_is_new',
            format('The legal entity %s exists already, or did and was deleted', quote_literal(v_name)),
            'Update it, or choose another name: invoices of a deleted one keep theirs.'
        );
    end if;
    perform admin.fn_save_legal_entity(
        util.hash_key(v_name), jsonb_strip_nulls(admin.fn_pack_legal_entity(to_jsonb(new), util.hash_key(v_name))),
        new.is_default
    );
    select e.* into new from admin.legal_entity as e where e.legal_entity = v_name;
    return new;
end
$$;

create or replace function admin.tg_legal_entity_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_legal_entity_hk bytea := util.hash_key(old.legal_entity);
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{legal_entity}', 'Change legal_name, which is the one on invoices.'
    );
    if upper(btrim(new.invoice_prefix)) is distinct from old.invoice_prefix and exists (
        select from gateway.invoice_s as s
        where s.legal_entity_hk = v_legal_entity_hk and s.invoice_number is not null
    ) then
        perform admin.fn_refuse_change(
            409, 'invoice_prefix_is_kept', format('Invoices bear the prefix %s already', old.invoice_prefix),
            'Leave it: numbers without a gap are of one kind. Another seller can have another one.'
        );
    end if;
    perform admin.fn_save_legal_entity(
        v_legal_entity_hk, admin.fn_pack_legal_entity(to_jsonb(new), v_legal_entity_hk), new.is_default
    );
    select e.* into new from admin.legal_entity as e where e.legal_entity = old.legal_entity;
    return new;
end
$$;

create or replace function admin.tg_legal_entity_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customers bigint := (select count(*) from admin.billing_profile as b where b.legal_entity = old.legal_entity);
begin
    if old.is_default then
        perform admin.fn_refuse_change(
            409, 'somebody_sells', format('The legal entity %s is the default', quote_literal(old.legal_entity)),
            'Set is_default of another one first.'
        );
    elsif v_customers > 0 then
        perform admin.fn_refuse_change(
            409, 'legal_entity_has_no_customers',
            format('The legal entity %s bills %s customers', quote_literal(old.legal_entity), v_customers),
            'Change legal_entity in admin.billing_profile first.'
        );
    end if;
    perform util.fn_close_satellite(
        'gateway.legal_entity_s', jsonb_build_object('legal_entity_hk', util.hash_key(old.legal_entity))
    );
    return old;
end
$$;

create trigger legal_entity_insert instead of insert on admin.legal_entity
for each row execute function admin.tg_legal_entity_insert();
create trigger legal_entity_update instead of update on admin.legal_entity
for each row execute function admin.tg_legal_entity_update();
create trigger legal_entity_delete instead of delete on admin.legal_entity
for each row execute function admin.tg_legal_entity_delete();

comment on function admin.tg_legal_entity_insert() is 'INSERT on admin.legal_entity: hub and first version.';
comment on function admin.tg_legal_entity_update() is 'UPDATE on admin.legal_entity: a new version.';
comment on function admin.tg_legal_entity_delete() is 'DELETE on admin.legal_entity: the last version ends.';
