-- A customer's own usage, grouped as asked. Reads as the customer's tenant, and of that the customer's rows only.
create or replace function gateway.sp_get_usage(p_token_digest bytea, p_params jsonb, p_client_ip text default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_known constant text[] := '{day,hour,model,provider,type,token}';
    v_now timestamptz := util.current_load_date();
    v_principal ops.principal;
    v_refusal gateway.route_decision;
    v_from timestamptz;
    v_to timestamptz;
    v_groups text[];
    v_limit integer := 100;
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_body jsonb;
begin
    select p.* into v_principal from ops.principal as p where p.token_digest = p_token_digest;
    v_refusal := gateway.fn_check_principal(v_principal, v_now, 'usage', p_client_ip);
    if v_refusal.status is not null then
        return gateway.fn_reply_refusal(v_refusal);
    end if;

    v_to := case when p_params ->> 'to' is null then v_now
        else gateway.fn_read_moment(p_params ->> 'to', v_principal.time_zone) end;
    if v_to is null then
        return gateway.fn_reply_invalid('to', '"to" must be a date or time like 2026-11-30 or 2026-11-30T12:00:00Z.');
    end if;
    v_from := case when p_params ->> 'from' is null then v_to - interval '30 days'
        else gateway.fn_read_moment(p_params ->> 'from', v_principal.time_zone) end;
    if v_from is null then
        return gateway.fn_reply_invalid('from', '"from" must be a date or time like 2026-11-01 or 2026-11-01T12:00:00Z.');
    end if;
    if v_from >= v_to then
        return gateway.fn_reply_invalid('from', '"from" must be before "to".');
    end if;

    v_groups := case coalesce(jsonb_typeof(p_params -> 'group_by'), 'null')
        when 'null' then '{day}'
        when 'array' then array(select btrim(g.name) from jsonb_array_elements_text(p_params -> 'group_by') as g (name))
        else string_to_array(replace(p_params ->> 'group_by', ' ', ''), ',')
    end;
    if v_groups = '{}' or not v_groups <@ v_known then
        return gateway.fn_reply_invalid(
            'group_by', format('"group_by" takes any of %s.', array_to_string(v_known, ', '))
        );
    end if;
    if p_params ->> 'limit' is not null then
        v_limit := case when p_params ->> 'limit' ~ '^[0-9]{1,4}$' then (p_params ->> 'limit')::integer end;
        if v_limit is null or v_limit not between 1 and 1000 then
            return gateway.fn_reply_invalid('limit', '"limit" must be a whole number from 1 to 1000.');
        end if;
    end if;

    perform set_config('onevault.tenant', v_principal.tenant_bk, true);
    v_body := gateway.fn_group_usage(
        v_principal.customer_bk, v_principal.time_zone, v_from, v_to, v_groups, v_limit, p_params ->> 'after'
    );
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    if v_body is null then
        return gateway.fn_reply_invalid('after', '"after" must be next_after of the page before, asked for with the same parameters.');
    end if;
    return gateway.fn_reply_body(v_body);
end
$$;

comment on function gateway.sp_get_usage(bytea, jsonb, text) is
'A customer''s usage: from (inclusive), to (exclusive), group_by (day, hour, model, provider, type, token), limit,
after.';
