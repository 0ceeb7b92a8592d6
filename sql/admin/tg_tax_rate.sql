create or replace function admin.fn_save_tax_rate(p_tax text, p_valid_from date, p_row jsonb) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_tax_hk bytea := util.hash_key(p_tax);
    v_other record;
begin
    select s.valid_from, s.valid_to into v_other
    from gateway.tax_rate_s as s
    where
        s.tax_hk = v_tax_hk and s.load_end_date is null and s.valid_from <> p_valid_from
        and s.valid_from < (p_row ->> 'valid_to')::date and s.valid_to > p_valid_from
    limit 1;
    if found then
        perform admin.fn_refuse_change(
            409, 'tax_rates_do_not_overlap',
            format('The tax %s has a rate from %s to %s already', quote_literal(p_tax), v_other.valid_from, v_other.valid_to),
            'Set valid_to of that one to the first day of the new one, or choose days outside of it.'
        );
    end if;
    return admin.fn_save_satellite(
        'gateway.tax_rate_s', jsonb_build_object('tax_hk', v_tax_hk, 'valid_from', p_valid_from), p_row
    );
end
$$;

comment on function admin.fn_save_tax_rate(text, date, jsonb) is
'Loads a rate of a tax; refuses days that have one already.';

create or replace function admin.tg_tax_rate_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := admin.fn_check_name('tax', new.tax);
    v_tax_hk bytea := util.hash_key(v_name);
begin
    perform admin.fn_lock_name('tax', v_name);
    if new.valid_from is null then
        perform admin.fn_refuse_change(
            400, 'valid_from_is_given', 'valid_from cannot be NULL', 'Name the first day of the rate, like 2026-01-01.'
        );
    end if;
    if exists (
        select from gateway.tax_rate_s as s
        where s.tax_hk = v_tax_hk and s.valid_from = new.valid_from and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'tax_rate_is_new',
            format('The tax %s has a rate from %s on already', quote_literal(v_name), new.valid_from),
            'Update it, or choose another day.'
        );
    end if;
    perform util.fn_load_hub('gateway.tax_h', v_tax_hk, v_name, session_user);
    v_name := (select h.tax_bk from gateway.tax_h as h where h.tax_hk = v_tax_hk);
    perform admin.fn_save_tax_rate(v_name, new.valid_from, jsonb_build_object(
        'valid_to', coalesce(new.valid_to, 'infinity'), 'tax_percent', new.tax_percent,
        'description', coalesce(admin.fn_clean_text('description', new.description), v_name)
    ));
    select t.* into new from admin.tax_rate as t where t.tax = v_name and t.valid_from = new.valid_from;
    return new;
end
$$;

create or replace function admin.tg_tax_rate_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{tax,valid_from}', 'Insert another one instead, and delete this one.'
    );
    perform admin.fn_lock_name('tax', old.tax);
    perform admin.fn_save_tax_rate(old.tax, old.valid_from, jsonb_build_object(
        'valid_to', new.valid_to, 'tax_percent', new.tax_percent,
        'description', coalesce(admin.fn_clean_text('description', new.description), old.tax)
    ));
    select t.* into new from admin.tax_rate as t where t.tax = old.tax and t.valid_from = old.valid_from;
    return new;
end
$$;

create or replace function admin.tg_tax_rate_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customers bigint := (
        select count(*) from admin.billing_profile as b
        where b.tax = old.tax and not exists (
            select from admin.tax_rate as t where t.tax = old.tax and t.valid_from <> old.valid_from
        )
    );
begin
    if v_customers > 0 then
        perform admin.fn_refuse_change(
            409, 'tax_has_a_rate', format('%s customers pay the tax %s, and this is its only rate', v_customers,
                quote_literal(old.tax)),
            'Change tax in admin.billing_profile first, or update this rate.'
        );
    end if;
    perform util.fn_close_satellite(
        'gateway.tax_rate_s', jsonb_build_object('tax_hk', util.hash_key(old.tax), 'valid_from', old.valid_from)
    );
    return old;
end
$$;

create trigger tax_rate_insert instead of insert on admin.tax_rate
for each row execute function admin.tg_tax_rate_insert();
create trigger tax_rate_update instead of update on admin.tax_rate
for each row execute function admin.tg_tax_rate_update();
create trigger tax_rate_delete instead of delete on admin.tax_rate
for each row execute function admin.tg_tax_rate_delete();

comment on function admin.tg_tax_rate_insert() is 'INSERT on admin.tax_rate: a tax has a rate for some days.';
comment on function admin.tg_tax_rate_update() is 'UPDATE on admin.tax_rate: a new version.';
comment on function admin.tg_tax_rate_delete() is 'DELETE on admin.tax_rate: it is taken back.';
