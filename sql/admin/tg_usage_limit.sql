-- Whom and what a limit is about: the narrowest of tenant, customer and token names the others.
create or replace function admin.fn_find_limited(
    p_tenant text, p_customer text, p_token_id text, p_provider text, p_model text,
    out tenant_hk bytea, out customer_hk bytea, out token_hk bytea, out provider_hk bytea, out model_hk bytea
)
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_token_id is not null then
        token_hk := admin.fn_find_token(p_token_id);
        select h.customer_hk into customer_hk from gateway.token_h as h where h.token_hk = fn_find_limited.token_hk;
    end if;
    if p_customer is not null then
        if customer_hk <> admin.fn_find_customer(p_customer) then
            perform admin.fn_refuse_change(
                400, 'token_is_the_customers', format('The token %s is not of the customer %s', quote_literal(p_token_id),
                    quote_literal(p_customer)), 'Leave customer out: it follows from token_id.'
            );
        end if;
        customer_hk := admin.fn_find_customer(p_customer);
    end if;
    select h.tenant_hk into tenant_hk from gateway.customer_h as h where h.customer_hk = fn_find_limited.customer_hk;
    if tenant_hk is null and p_tenant is null then
        perform admin.fn_refuse_change(
            400, 'limit_is_about_somebody', 'A limit is for a tenant, a customer or a token',
            'Fill one of tenant, customer and token_id.'
        );
    elsif p_tenant is not null and tenant_hk <> admin.fn_find_tenant(p_tenant) then
        perform admin.fn_refuse_change(
            400, 'customer_is_the_tenants', format('The customer is not of the tenant %s', quote_literal(p_tenant)),
            'Leave tenant out: it follows from the customer.'
        );
    end if;
    tenant_hk := coalesce(tenant_hk, admin.fn_find_tenant(p_tenant));
    if p_provider is not null then
        provider_hk := admin.fn_find_provider(p_provider);
    end if;
    model_hk := admin.fn_find_model(p_provider, p_model);
end
$$;

comment on function admin.fn_find_limited(text, text, text, text, text) is
'Hash keys of whom and what a limit is about; refuses unknown names and those that contradict each other.';

create or replace function admin.tg_usage_limit_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_about record := admin.fn_find_limited(new.tenant, new.customer, new.token_id, new.provider, new.model);
    v_unit text := upper(btrim(new.unit));
    v_period text := upper(btrim(new.period));
    v_name text := admin.fn_check_name('limit', coalesce(new.limit_name, concat_ws(
        ' ', coalesce(new.token_id, new.customer, new.tenant),
        nullif(concat_ws('/', new.provider, new.model), ''), v_unit, v_period
    )));
begin
    perform admin.fn_lock_name('usage_limit', v_name);
    if exists (
        select from gateway.usage_limit_s as s
        where s.usage_limit_hk = util.hash_key(v_name) and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'limit_is_new', format('There is a limit %s already', quote_literal(v_name)),
            'Update it, or give another limit_name.'
        );
    end if;
    perform util.fn_load_hub(
        'gateway.usage_limit_h', util.hash_key(v_name), v_name, session_user,
        jsonb_build_object('tenant_hk', v_about.tenant_hk)
    );
    perform from gateway.usage_limit_h as h
    where h.usage_limit_hk = util.hash_key(v_name) and h.tenant_hk = v_about.tenant_hk;
    if not found then
        perform admin.fn_refuse_change(
            409, 'limit_is_new', format('The limit %s was of another tenant', quote_literal(v_name)),
            'Give another limit_name.'
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.usage_limit_s', jsonb_build_object('usage_limit_hk', util.hash_key(v_name)), jsonb_build_object(
            'customer_hk', v_about.customer_hk, 'token_hk', v_about.token_hk, 'provider_hk', v_about.provider_hk,
            'model_hk', v_about.model_hk, 'unit', v_unit, 'period', v_period, 'amount', new.amount,
            'is_hard', coalesce(new.is_hard, true), 'raised_amount', new.raised_amount, 'raised_until', new.raised_until
        )
    );
    select u.* into new from admin.usage_limit as u where u.limit_name = v_name;
    return new;
end
$$;

create or replace function admin.tg_usage_limit_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{limit_name,tenant,customer,token_id,provider,model,unit,period}',
        'Insert another limit instead, and delete this one.'
    );
    perform admin.fn_save_satellite(
        'gateway.usage_limit_s', jsonb_build_object('usage_limit_hk', util.hash_key(old.limit_name)), jsonb_build_object(
            'amount', new.amount, 'is_hard', new.is_hard, 'raised_amount', new.raised_amount,
            'raised_until', new.raised_until
        )
    );
    select u.* into new from admin.usage_limit as u where u.limit_name = old.limit_name;
    return new;
end
$$;

create or replace function admin.tg_usage_limit_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_end_satellite(
        'gateway.usage_limit_s', jsonb_build_object('usage_limit_hk', util.hash_key(old.limit_name)), '{}'
    );
    return old;
end
$$;

create trigger usage_limit_insert instead of insert on admin.usage_limit
for each row execute function admin.tg_usage_limit_insert();
create trigger usage_limit_update instead of update on admin.usage_limit
for each row execute function admin.tg_usage_limit_update();
create trigger usage_limit_delete instead of delete on admin.usage_limit
for each row execute function admin.tg_usage_limit_delete();

comment on function admin.tg_usage_limit_insert() is 'INSERT on admin.usage_limit: hub and first version.';
comment on function admin.tg_usage_limit_update() is 'UPDATE on admin.usage_limit: a new version.';
comment on function admin.tg_usage_limit_delete() is 'DELETE on admin.usage_limit: the last version ends.';
