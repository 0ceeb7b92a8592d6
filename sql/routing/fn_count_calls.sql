-- What a provider has had this minute, and whether somebody tries an offer again that failed, is one row for all
-- customers. To lock it with every call would let them wait for each other and, between the rows of customers, for
-- ever: a batch counts by itself what it sends where, and moves the rows at its end.
create or replace function gateway.fn_begin_counting(p_now timestamptz) returns boolean
language plpgsql
set search_path = ''
as $$
begin
    if not exists (select from ops.provider_rate) and not exists (
        select from ops.offer_health as h where h.consecutive_failures >= 3 and h.rests_until <= p_now
    ) then
        return false;
    end if;
    perform set_config('onevault.calls_in_batch', '{}', true);
    return true;
end
$$;

comment on function gateway.fn_begin_counting(timestamptz) is
'Whether a provider has a rate limit or an offer waits to be tried again; then this transaction counts its calls.';

create or replace function gateway.fn_calls_in_batch() returns jsonb
language sql stable
return nullif(current_setting('onevault.calls_in_batch', true), '')::jsonb;

comment on function gateway.fn_calls_in_batch() is
'Calls of this transaction by the hash key of their provider and by that of their first offer; NULL if nobody counts.';

create or replace function gateway.fn_count_call(p_provider_hk bytea, p_offer text) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_calls jsonb := gateway.fn_calls_in_batch();
    v_provider text := encode(p_provider_hk, 'hex');
begin
    if v_calls is not null then
        -- By his own key a call counts against the customer's limit at the provider, which only the provider knows.
        if p_provider_hk is not null then
            v_calls := v_calls || jsonb_build_object(v_provider, coalesce((v_calls ->> v_provider)::integer, 0) + 1);
        end if;
        perform set_config('onevault.calls_in_batch', (v_calls || jsonb_build_object(
            p_offer, coalesce((v_calls ->> p_offer)::integer, 0) + 1
        ))::text, true);
    end if;
end
$$;

comment on function gateway.fn_count_call(bytea, text) is
'Counts a call within this batch: against the house''s limit at a provider (NULL for none), and for its offer.';

create or replace function gateway.fn_end_counting(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_now_us bigint := floor(extract(epoch from p_now) * 1000000)::bigint;
    v_calls record;
begin
    for v_calls in
        select decode(c.hk, 'hex') as hk, c.count::integer from jsonb_each_text(gateway.fn_calls_in_batch()) as c (hk, count)
        order by 1
    loop
        update ops.provider_rate as r set full_at_us = greatest(r.full_at_us, v_now_us) + v_calls.count * r.step_us
        where r.provider_hk = v_calls.hk;
    end loop;
    -- Half open: one try, and everybody else waits for what comes of it.
    for v_calls in
        select decode(c.hk, 'hex') as hk from jsonb_object_keys(gateway.fn_calls_in_batch()) as c (hk)
        order by 1
    loop
        update ops.offer_health as h set rests_until = p_now + interval '10 seconds'
        where h.offer_hk = v_calls.hk and h.consecutive_failures >= 3 and h.rests_until <= p_now;
    end loop;
end
$$;

comment on function gateway.fn_end_counting(timestamptz) is
'Adds what this batch sends to each provider to its rate bucket, and has others wait for offers that are tried again.';

create or replace function gateway.fn_list_full_providers(p_now timestamptz) returns bytea[]
language sql stable
set search_path = ''
begin atomic
    select array_agg(r.provider_hk)
    from ops.provider_rate as r
    where
        greatest(r.full_at_us - floor(extract(epoch from p_now) * 1000000)::bigint, 0)
        + r.step_us * (1 + coalesce((gateway.fn_calls_in_batch() ->> encode(r.provider_hk, 'hex'))::bigint, 0))
        > r.burst_us;
end;

comment on function gateway.fn_list_full_providers(timestamptz) is
'Providers that would take one more call for one too many; NULL for none.';
