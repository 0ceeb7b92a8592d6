-- A provider's rate bucket is one row for all customers. To lock it with every call would let them wait for each other
-- and, between the rows of customers, for ever: a batch counts by itself what it sends where, and adds it to the rows
-- at its end.
create or replace function gateway.fn_begin_counting() returns boolean
language plpgsql
set search_path = ''
as $$
begin
    if not exists (select from ops.provider_rate) then
        return false;
    end if;
    perform set_config('onevault.calls_in_batch', '{}', true);
    return true;
end
$$;

comment on function gateway.fn_begin_counting() is
'Whether any provider has a rate limit; then the calls of this transaction are counted.';

create or replace function gateway.fn_count_call(p_provider_hk bytea) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_counted jsonb := nullif(current_setting('onevault.calls_in_batch', true), '')::jsonb;
    v_provider text := encode(p_provider_hk, 'hex');
begin
    if v_counted is not null then
        perform set_config('onevault.calls_in_batch', (v_counted || jsonb_build_object(
            v_provider, coalesce((v_counted ->> v_provider)::integer, 0) + 1
        ))::text, true);
    end if;
end
$$;

comment on function gateway.fn_count_call(bytea) is 'Counts a call to a provider within this batch.';

create or replace function gateway.fn_end_counting(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_now_us bigint := floor(extract(epoch from p_now) * 1000000)::bigint;
    v_calls record;
begin
    for v_calls in
        select decode(c.provider, 'hex') as provider_hk, c.count::integer
        from jsonb_each_text(current_setting('onevault.calls_in_batch')::jsonb) as c (provider, count)
        order by 1
    loop
        update ops.provider_rate as r set full_at_us = greatest(r.full_at_us, v_now_us) + v_calls.count * r.step_us
        where r.provider_hk = v_calls.provider_hk;
    end loop;
end
$$;

comment on function gateway.fn_end_counting(timestamptz) is
'Adds what this batch sends to each provider to its rate bucket.';

create or replace function gateway.fn_list_full_providers(p_now timestamptz) returns bytea[]
language sql stable
set search_path = ''
begin atomic
    select array_agg(r.provider_hk)
    from ops.provider_rate as r
    where
        greatest(r.full_at_us - floor(extract(epoch from p_now) * 1000000)::bigint, 0) + r.step_us * (1 + coalesce(
            (nullif(current_setting('onevault.calls_in_batch', true), '')::jsonb ->> encode(r.provider_hk, 'hex'))::bigint,
            0
        )) > r.burst_us;
end;

comment on function gateway.fn_list_full_providers(timestamptz) is
'Providers that would take one more call for one too many; NULL for none.';
