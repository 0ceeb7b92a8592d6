create or replace function admin.tg_exchange_rate_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_code text := upper(btrim(new.currency));
    v_currency_hk bytea := util.hash_key(v_code);
begin
    if coalesce(v_code, '') !~ '^[A-Z]{3}$' then
        perform admin.fn_refuse_change(
            400, 'currency_is_a_code', format('%s is no currency', quote_literal(coalesce(new.currency, ''))),
            'Use a code of ISO 4217 like EUR.'
        );
    elsif v_code = 'USD' then
        perform admin.fn_refuse_change(
            400, 'usd_is_one', 'All is charged in USD, of which one USD is always 1', 'Give rates of other currencies.'
        );
    end if;
    new.rate_date := coalesce(new.rate_date, (util.current_load_date() at time zone 'UTC')::date);
    if not isfinite(new.rate_date) then
        perform admin.fn_refuse_change(
            400, 'rate_date_is_a_day', 'A rate is of a day', 'Use a date like 2026-01-31, or none for today.'
        );
    end if;
    perform admin.fn_lock_name('currency', v_code);
    if exists (
        select from gateway.exchange_rate_s as s
        where s.currency_hk = v_currency_hk and s.rate_date = new.rate_date and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'exchange_rate_is_new', format('%s has a rate of %s already', v_code, new.rate_date),
            'Update it, or choose another day.'
        );
    end if;
    perform util.fn_load_hub('gateway.currency_h', v_currency_hk, v_code, session_user);
    perform admin.fn_save_satellite(
        'gateway.exchange_rate_s', jsonb_build_object('currency_hk', v_currency_hk, 'rate_date', new.rate_date),
        jsonb_build_object('units_per_usd', new.units_per_usd)
    );
    select e.* into new from admin.exchange_rate as e where e.currency = v_code and e.rate_date = new.rate_date;
    return new;
end
$$;

create or replace function admin.tg_exchange_rate_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{currency,rate_date}', 'Insert another one instead, and delete this one.'
    );
    perform admin.fn_save_satellite(
        'gateway.exchange_rate_s',
        jsonb_build_object('currency_hk', util.hash_key(old.currency), 'rate_date', old.rate_date),
        jsonb_build_object('units_per_usd', new.units_per_usd)
    );
    select e.* into new from admin.exchange_rate as e where e.currency = old.currency and e.rate_date = old.rate_date;
    return new;
end
$$;

create or replace function admin.tg_exchange_rate_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if exists (
        select from admin.legal_entity as e where e.currency = old.currency
        union all
        select from admin.billing_profile as b where b.currency = old.currency
    ) and not exists (
        select from admin.exchange_rate as e where e.currency = old.currency and e.rate_date <> old.rate_date
    ) then
        perform admin.fn_refuse_change(
            409, 'currency_has_a_rate', format('Somebody is billed in %s, and this is its only rate', old.currency),
            'Update it, or change currency in admin.billing_profile and admin.legal_entity first.'
        );
    end if;
    perform util.fn_close_satellite(
        'gateway.exchange_rate_s',
        jsonb_build_object('currency_hk', util.hash_key(old.currency), 'rate_date', old.rate_date)
    );
    return old;
end
$$;

create trigger exchange_rate_insert instead of insert on admin.exchange_rate
for each row execute function admin.tg_exchange_rate_insert();
create trigger exchange_rate_update instead of update on admin.exchange_rate
for each row execute function admin.tg_exchange_rate_update();
create trigger exchange_rate_delete instead of delete on admin.exchange_rate
for each row execute function admin.tg_exchange_rate_delete();

comment on function admin.tg_exchange_rate_insert() is 'INSERT on admin.exchange_rate: a currency has a rate of a day.';
comment on function admin.tg_exchange_rate_update() is 'UPDATE on admin.exchange_rate: a new version.';
comment on function admin.tg_exchange_rate_delete() is 'DELETE on admin.exchange_rate: it is taken back.';
