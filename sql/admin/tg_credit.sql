-- A name is used once, also when its credit was taken back: the ledger has it. Whoever changes a credit holds its
-- customer, so that no close uses it meanwhile.
create or replace function admin.fn_name_credit(p_customer text, p_credit text, p_kind text, p_day date) returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    v_made text := concat_ws(' ', lower(p_kind), p_day::text);
    v_name text := admin.fn_check_name('credit', coalesce(p_credit, v_made));
    v_number integer := 1;
begin
    if v_name ~ '\|' or length(p_customer || '|' || v_name) > 300 then
        perform admin.fn_refuse_change(
            400, 'credit_has_a_plain_name', format('%s cannot be the name of a credit', quote_literal(v_name)),
            'Use a shorter one, without "|".'
        );
    end if;
    while exists (select from gateway.credit_h as h where h.credit_hk = util.hash_key(p_customer, v_name)) loop
        if p_credit is not null then
            perform admin.fn_refuse_change(
                409, 'credit_is_new', format('There is or was a credit %s of the customer %s already',
                    quote_literal(v_name), quote_literal(p_customer)), 'Give another name.'
            );
        end if;
        v_number := v_number + 1;
        v_name := v_made || ' ' || v_number;
    end loop;
    return v_name;
end
$$;

comment on function admin.fn_name_credit(text, text, text, date) is
'The name of a new credit: the one given, which must be new, or one made from kind and day.';

create or replace function admin.tg_credit_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer record;
    v_kind text := upper(btrim(new.credit_kind));
    v_name text;
    v_hk bytea;
    v_amount numeric;
begin
    perform set_config('synchronous_commit', 'on', true);
    perform admin.fn_refuse_readonly(
        to_jsonb(new), null, '{used_usd,expired_usd,remaining_usd}', 'It follows from the ledger.'
    );
    select h.customer_hk, h.tenant_hk, h.customer_bk::text as name, t.time_zone into v_customer
    from gateway.customer_h as h
    inner join auth.tenant_s as t on h.tenant_hk = t.tenant_hk and t.load_end_date is null
    where h.customer_hk = admin.fn_find_customer(new.customer);
    perform admin.fn_lock_name('credit', v_customer.name);
    new.valid_from := coalesce(new.valid_from, (util.current_load_date() at time zone v_customer.time_zone)::date);
    new.expires_on := coalesce(new.expires_on, 'infinity');
    v_name := admin.fn_name_credit(v_customer.name, new.credit, v_kind, new.valid_from);
    v_hk := util.hash_key(v_customer.name, v_name);
    -- A close that is under way is over first: it would not see the credit, whose last month it may be.
    if new.expires_on <= (util.current_load_date() at time zone v_customer.time_zone)::date then
        perform pg_advisory_xact_lock_shared(hashtextextended('onevault close of a month', 0));
    end if;
    if isfinite(new.expires_on) and exists (
        select from gateway.month_close_s as m
        where
            m.tenant_hk = v_customer.tenant_hk
            and m.billing_period = date_trunc('month', (new.expires_on - 1)::timestamp)::date
    ) then
        perform admin.fn_refuse_change(
            409, 'credit_can_be_used', format('This credit could pay for days until %s, and their month is closed',
                new.expires_on - 1), 'Use a later expires_on, or none.'
        );
    end if;
    perform util.fn_load_hub('gateway.credit_h', v_hk, v_customer.name || '|' || v_name, session_user, jsonb_build_object(
        'customer_hk', v_customer.customer_hk, 'tenant_hk', v_customer.tenant_hk
    ));
    perform admin.fn_save_satellite('gateway.credit_s', jsonb_build_object('credit_hk', v_hk), jsonb_build_object(
        'credit_kind', v_kind, 'amount_usd', new.amount_usd, 'priority', coalesce(new.priority, 100),
        'valid_from', new.valid_from, 'expires_on', new.expires_on, 'description', coalesce(
            admin.fn_clean_text('description', new.description),
            case v_kind when 'PREPAID' then 'Prepaid credit' else 'Promotion' end
        )
    ));
    select s.amount_usd into v_amount
    from gateway.credit_s as s
    where s.credit_hk = v_hk and s.load_end_date is null;
    perform gateway.fn_post_entry(
        v_customer.customer_hk, 'CREDIT', 'credit:' || v_customer.name || '|' || v_name, jsonb_build_array(
            jsonb_build_object(
                'account', case v_kind when 'PREPAID' then 'cash' else 'promotion' end, 'amount_usd', v_amount
            ),
            jsonb_build_object('account', 'prepaid', 'amount_usd', -v_amount, 'credit', encode(v_hk, 'hex'))
        ), null, v_name
    );
    select c.* into new from admin.credit as c where c.customer = v_customer.name and c.credit = v_name;
    return new;
end
$$;

create or replace function admin.tg_credit_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer_hk bytea := util.hash_key(old.customer);
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old),
        '{customer,credit,credit_kind,amount_usd,valid_from,used_usd,expired_usd,remaining_usd}',
        'Grant another credit; delete this one, if nothing is used of it.'
    );
    perform from gateway.customer_h as h where h.customer_hk = v_customer_hk for no key update;
    if new.expires_on > old.expires_on and exists (
        select from admin.credit as c
        where c.customer = old.customer and c.credit = old.credit and c.expired_usd > 0
    ) then
        perform admin.fn_refuse_change(
            409, 'expired_credits_stay_expired', format('The credit %s has expired, and what was left is written off',
                quote_literal(old.credit)), 'Grant another one.'
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.credit_s', jsonb_build_object('credit_hk', util.hash_key(old.customer, old.credit)), jsonb_build_object(
            'priority', new.priority, 'expires_on', new.expires_on,
            'description', admin.fn_clean_text('description', new.description)
        )
    );
    perform gateway.fn_refresh_prepaid(v_customer_hk);
    select c.* into new from admin.credit as c where c.customer = old.customer and c.credit = old.credit;
    return new;
end
$$;

comment on function admin.tg_credit_insert() is 'INSERT on admin.credit: granted, and posted to the ledger.';
comment on function admin.tg_credit_update() is 'UPDATE on admin.credit: priority, expiry and description.';
