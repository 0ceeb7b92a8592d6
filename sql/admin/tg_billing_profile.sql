create or replace function admin.fn_find_legal_entity(p_legal_entity text) returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
    v_legal_entity_hk bytea;
begin
    select s.legal_entity_hk into v_legal_entity_hk
    from gateway.legal_entity_s as s
    where s.legal_entity_hk = util.hash_key(p_legal_entity) and s.load_end_date is null;
    if v_legal_entity_hk is null and p_legal_entity is not null then
        perform admin.fn_refuse_change(
            404, 'legal_entity_exists', format('There is no legal entity %s', quote_literal(p_legal_entity)),
            'Look into admin.legal_entity, or insert it there first.'
        );
    end if;
    return v_legal_entity_hk;
end
$$;

comment on function admin.fn_find_legal_entity(text) is
'Hash key of a current seller; refuses an unknown one. NULL stays NULL.';

create or replace function admin.fn_find_tax(p_tax text) returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
    v_tax_hk bytea;
begin
    select s.tax_hk into v_tax_hk
    from gateway.tax_rate_s as s
    where s.tax_hk = util.hash_key(p_tax) and s.load_end_date is null
    limit 1;
    if v_tax_hk is null and p_tax is not null then
        perform admin.fn_refuse_change(
            404, 'tax_has_a_rate', format('There is no tax %s', quote_literal(p_tax)),
            'Look into admin.tax_rate, or insert a rate of it there first.'
        );
    end if;
    return v_tax_hk;
end
$$;

comment on function admin.fn_find_tax(text) is
'Hash key of a tax that has a rate; refuses an unknown one. NULL stays NULL.';

create or replace function admin.fn_save_billing_profile(p_customer text, p_new jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
    perform admin.fn_save_satellite(
        'gateway.customer_billing_s', jsonb_build_object('customer_hk', util.hash_key(p_customer)), jsonb_build_object(
            'legal_entity_hk', admin.fn_find_legal_entity(p_new ->> 'legal_entity'),
            'tax_hk', admin.fn_find_tax(p_new ->> 'tax'),
            'legal_name', coalesce(admin.fn_clean_text('legal_name', p_new ->> 'legal_name'), p_customer),
            'address', admin.fn_clean_lines(array(select jsonb_array_elements_text(nullif(p_new -> 'address', 'null')))),
            'tax_number', admin.fn_clean_text('tax_number', p_new ->> 'tax_number'),
            'email', admin.fn_clean_email(p_new ->> 'email'), 'currency', admin.fn_clean_currency(p_new ->> 'currency'),
            'payment_days', (p_new ->> 'payment_days')::smallint,
            'is_prepaid', coalesce((p_new ->> 'is_prepaid')::boolean, false)
        )
    );
end
$$;

comment on function admin.fn_save_billing_profile(text, jsonb) is 'Loads a version of a billing profile.';

-- A deleted customer may be given one, too: his last invoice is still to come.
create or replace function admin.tg_billing_profile_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := (select h.customer_bk from gateway.customer_h as h where h.customer_hk = util.hash_key(new.customer));
begin
    if v_name is null then
        perform admin.fn_find_customer(new.customer);
    end if;
    perform admin.fn_lock_name('billing profile', v_name);
    if exists (
        select from gateway.customer_billing_s as s
        where s.customer_hk = util.hash_key(v_name) and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'billing_profile_is_new', format('The customer %s has a billing profile already', quote_literal(v_name)),
            'Update it.'
        );
    end if;
    perform admin.fn_save_billing_profile(v_name, to_jsonb(new));
    select b.* into new from admin.billing_profile as b where b.customer = v_name;
    return new;
end
$$;

create or replace function admin.tg_billing_profile_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{customer}', 'Change legal_name, which is the one on invoices.'
    );
    perform admin.fn_save_billing_profile(old.customer, to_jsonb(new));
    select b.* into new from admin.billing_profile as b where b.customer = old.customer;
    return new;
end
$$;

create or replace function admin.tg_billing_profile_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform util.fn_close_satellite(
        'gateway.customer_billing_s', jsonb_build_object('customer_hk', util.hash_key(old.customer))
    );
    return old;
end
$$;

create trigger billing_profile_insert instead of insert on admin.billing_profile
for each row execute function admin.tg_billing_profile_insert();
create trigger billing_profile_update instead of update on admin.billing_profile
for each row execute function admin.tg_billing_profile_update();
create trigger billing_profile_delete instead of delete on admin.billing_profile
for each row execute function admin.tg_billing_profile_delete();

comment on function admin.tg_billing_profile_insert() is 'INSERT on admin.billing_profile: how a customer is billed.';
comment on function admin.tg_billing_profile_update() is 'UPDATE on admin.billing_profile: a new version.';
comment on function admin.tg_billing_profile_delete() is
'DELETE on admin.billing_profile: he is billed by the default seller again.';
