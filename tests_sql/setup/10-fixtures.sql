-- Fixtures as functions. Each makes one thing through the loaders and hands back what a test needs of it.
create schema test;

create function test.make_tenant(p_name text, p_settings jsonb default '{}') returns bytea
language plpgsql as $$
declare
    v_hk bytea := util.hash_key(p_name);
begin
    perform util.fn_load_hub('auth.tenant_h', v_hk, p_name, 'test');
    perform util.fn_load_satellite(
        'auth.tenant_s', jsonb_build_object('tenant_hk', v_hk), jsonb_build_object('tenant_name', p_name) || p_settings, 'test'
    );
    return v_hk;
end
$$;

create function test.make_provider(p_name text, p_settings jsonb default '{}') returns bytea
language plpgsql as $$
declare
    v_hk bytea := util.hash_key(p_name);
begin
    perform util.fn_load_hub('gateway.ai_provider_h', v_hk, p_name, 'test');
    perform util.fn_load_satellite(
        'gateway.ai_provider_s', jsonb_build_object('provider_hk', v_hk),
        jsonb_build_object('provider_name', p_name, 'api_endpoint', 'http://127.0.0.1:9/v1', 'needs_key', false) || p_settings,
        'test'
    );
    return v_hk;
end
$$;

create function test.make_price(p_offer_hk bytea, p_meter text, p_price numeric, p_from timestamptz default '-infinity')
returns void
language sql as $$
    select util.fn_load_satellite(
        'gateway.offer_price_s',
        jsonb_build_object('offer_hk', p_offer_hk, 'meter', p_meter, 'valid_from', p_from),
        jsonb_build_object('usd_per_million', p_price), 'test'
    );
$$;

create function test.make_offer(
    p_provider text, p_model text, p_input numeric default 1, p_output numeric default 2, p_settings jsonb default '{}'
) returns bytea
language plpgsql as $$
declare
    v_offer_hk bytea := util.hash_key(p_provider, p_model);
begin
    perform test.make_provider(p_provider) where not exists (
        select from gateway.ai_provider_h as h where h.provider_bk = p_provider
    );
    perform util.fn_load_hub('gateway.model_h', util.hash_key(p_model), p_model, 'test');
    perform util.fn_load_hub(
        'gateway.offer_l', v_offer_hk, null, 'test',
        jsonb_build_object('provider_hk', util.hash_key(p_provider), 'model_hk', util.hash_key(p_model))
    );
    perform util.fn_load_satellite(
        'gateway.offer_s', jsonb_build_object('offer_hk', v_offer_hk),
        jsonb_build_object('upstream_model', p_model, 'default_output_tokens', 100) || p_settings, 'test'
    );
    perform test.make_price(v_offer_hk, 'input', p_input) where p_input is not null;
    perform test.make_price(v_offer_hk, 'output', p_output) where p_output is not null;
    return v_offer_hk;
end
$$;

create function test.make_token(p_customer text, p_name text, p_settings jsonb default '{}') returns bytea
language plpgsql as $$
declare
    v_token_hk bytea := util.hash_key(p_customer, p_name);
    v_digest bytea := sha256(convert_to(p_customer || '/' || p_name, 'UTF8'));
begin
    perform util.fn_load_hub(
        'gateway.token_h', v_token_hk, p_customer || '/' || p_name, 'test',
        jsonb_build_object('customer_hk', util.hash_key(p_customer))
    );
    perform util.fn_load_satellite(
        'gateway.token_s', jsonb_build_object('token_hk', v_token_hk),
        jsonb_build_object('token_name', p_name, 'token_hint', '…', 'token_digest', v_digest) || p_settings, 'test'
    );
    return v_digest;
end
$$;

-- A customer with a token named 'token'; gives the token's digest.
create function test.make_customer(p_name text, p_settings jsonb default '{}', p_tenant text default 'test tenant')
returns bytea
language plpgsql as $$
declare
    v_hk bytea := util.hash_key(p_name);
begin
    perform test.make_tenant(p_tenant) where not exists (select from auth.tenant_h as h where h.tenant_bk = p_tenant);
    perform util.fn_load_hub(
        'gateway.customer_h', v_hk, p_name, 'test',
        jsonb_build_object('tenant_hk', util.hash_key(p_tenant), 'customer_reference', util.fn_reference(v_hk))
    );
    perform util.fn_load_satellite(
        'gateway.customer_config_s', jsonb_build_object('customer_hk', v_hk), p_settings, 'test'
    );
    return test.make_token(p_name, 'token');
end
$$;

-- A small chat call, with whatever else is given.
create function test.route(p_digest bytea, p_request jsonb default '{}') returns gateway.route_decision
language sql as $$
    select gateway.sp_route_request(p_digest, jsonb_build_object(
        'ticket', '00112233445566778899aabbccddeeff', 'surface', 'chat', 'capability', 'chat',
        'request_type', 'completion', 'prompt_bytes', 100, 'messages', 1, 'stream', false
    ) || p_request, 'unix:/test');
$$;

create function test.one_attempt(
    p_decision gateway.route_decision, p_usage jsonb, p_attempt jsonb default '{}'
) returns jsonb
language sql as $$
    select jsonb_build_object(
        'number', 1, 'offer', (
            select r.candidates -> 0 -> 'offer' from ops.reservation as r
            where r.api_request_hk = uuid_send((p_decision.request_id)::uuid)
        ),
        'key', null, 'outcome', 'SUCCESS', 'class', null, 'http_status', 200, 'latency_ms', 12, 'first_byte_ms', 7,
        'output_bytes', 40, 'usage', p_usage, 'usage_source', 'provider_final', 'raw_usage', null
    ) || p_attempt;
$$;

-- A worker's result for a routed call, as it would be told.
create function test.make_result(
    p_decision gateway.route_decision, p_attempts jsonb, p_result jsonb default '{}'
) returns jsonb
language sql as $$
    select jsonb_build_object(
        'request', p_decision.request_id, 'customer', (
            select encode(h.customer_hk, 'hex') from gateway.customer_h as h where h.customer_bk = p_decision.customer
        ),
        'queue', p_decision.queue, 'msg_id', p_decision.msg_id, 'read_ct', 1, 'status', 'SUCCESS', 'class', null,
        'latency_ms', 12, 'first_byte_ms', 7, 'attempts', p_attempts
    ) || p_result;
$$;

-- Reads the queue as a worker does and books one successful attempt with this usage; gives the receipt.
create function test.settle(
    p_decision gateway.route_decision, p_usage jsonb default '{"input_uncached": 10, "output": 5}'
) returns jsonb
language plpgsql as $$
begin
    perform gateway.sp_read_messages(100, 60);
    return gateway.sp_record_result(
        test.make_result(p_decision, jsonb_build_array(test.one_attempt(p_decision, p_usage)))
    );
end
$$;

create function test.scope_of(p_customer text) returns ops.scope_state
language sql as $$
    select s from ops.scope_state as s where s.scope_hk = util.hash_key(p_customer);
$$;
