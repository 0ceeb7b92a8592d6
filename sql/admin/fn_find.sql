-- Names as people write them (any case, blanks around) to the things they mean; what does not exist is refused.
create or replace function admin.fn_find_tenant(p_tenant text) returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
    v_tenant_hk bytea;
begin
    select s.tenant_hk into v_tenant_hk
    from auth.tenant_s as s
    where s.tenant_hk = util.hash_key(p_tenant) and s.load_end_date is null;
    if v_tenant_hk is null then
        perform admin.fn_refuse_change(
            404, 'tenant_exists', format('There is no tenant %s', quote_literal(coalesce(p_tenant, ''))),
            'Look into admin.tenant, or insert it there first.'
        );
    end if;
    return v_tenant_hk;
end
$$;

comment on function admin.fn_find_tenant(text) is 'Hash key of a current tenant; refuses an unknown one.';

create or replace function admin.fn_find_customer(p_customer text) returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
    v_customer_hk bytea;
begin
    select s.customer_hk into v_customer_hk
    from gateway.customer_config_s as s
    where s.customer_hk = util.hash_key(p_customer) and s.load_end_date is null;
    if v_customer_hk is null then
        perform admin.fn_refuse_change(
            404, 'customer_exists', format('There is no customer %s', quote_literal(coalesce(p_customer, ''))),
            'Look into admin.customer, or insert it there first.'
        );
    end if;
    return v_customer_hk;
end
$$;

comment on function admin.fn_find_customer(text) is 'Hash key of a current customer; refuses an unknown one.';

create or replace function admin.fn_find_provider(p_provider text) returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
    v_provider_hk bytea;
begin
    select s.provider_hk into v_provider_hk
    from gateway.ai_provider_s as s
    where s.provider_hk = util.hash_key(p_provider) and s.load_end_date is null;
    if v_provider_hk is null then
        perform admin.fn_refuse_change(
            404, 'provider_exists', format('There is no provider %s', quote_literal(coalesce(p_provider, ''))),
            'Look into admin.provider, or insert it there first.'
        );
    end if;
    return v_provider_hk;
end
$$;

comment on function admin.fn_find_provider(text) is 'Hash key of a current provider; refuses an unknown one.';

create or replace function admin.fn_find_offer(p_provider text, p_model text) returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
    v_offer_hk bytea;
begin
    perform admin.fn_find_provider(p_provider);
    select s.offer_hk into v_offer_hk
    from gateway.offer_s as s
    where s.offer_hk = util.hash_key(p_provider, p_model) and s.load_end_date is null;
    if v_offer_hk is null then
        perform admin.fn_refuse_change(
            404, 'model_exists',
            format('The provider %s has no model %s', quote_literal(p_provider), quote_literal(coalesce(p_model, ''))),
            'Look into admin.model, or insert it there first.'
        );
    end if;
    return v_offer_hk;
end
$$;

comment on function admin.fn_find_offer(text, text) is
'Hash key of a current model at a provider; refuses an unknown one.';

create or replace function admin.fn_find_token(p_token_id text) returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
    v_token_hk bytea;
begin
    select h.token_hk into v_token_hk from gateway.token_h as h where h.token_bk = p_token_id;
    if v_token_hk is null then
        perform admin.fn_refuse_change(
            404, 'token_exists', format('There is no token %s', quote_literal(p_token_id)),
            'Look into admin.token; token_id names one.'
        );
    end if;
    return v_token_hk;
end
$$;

comment on function admin.fn_find_token(text) is 'Hash key of a token by its id; refuses an unknown one.';

create or replace function admin.fn_find_model(p_provider text, p_model text) returns bytea
language plpgsql
stable
set search_path = ''
as $$
declare
    v_model_hk bytea;
begin
    if p_model is null then
        return null;
    elsif p_provider is not null then
        perform admin.fn_find_offer(p_provider, p_model);
    end if;
    select h.model_hk into v_model_hk
    from gateway.model_h as h where h.model_hk = util.hash_key((admin.fn_clean_models(array[p_model]))[1]);
    if v_model_hk is null then
        perform admin.fn_refuse_change(
            400, 'model_is_given_alone', format('%s is no model', quote_literal(p_model)),
            'Put the provider into its own column.'
        );
    end if;
    return v_model_hk;
end
$$;

comment on function admin.fn_find_model(text, text) is
'Hash key of a model, at a provider if one is named; refuses an unknown one.';
