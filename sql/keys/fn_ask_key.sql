create or replace function gateway.fn_ask_key(p_provider_key_hk bytea) returns void
language sql
set search_path = ''
begin atomic
    insert into ops.key_validation as v (provider_key_hk, asked_at, due_at)
    values (p_provider_key_hk, clock_timestamp(), clock_timestamp())
    on conflict (provider_key_hk) do update set
        asked_at = excluded.asked_at, due_at = excluded.due_at, tries = 0, finding = 'waiting', found_at = null;
end;

comment on function gateway.fn_ask_key(bytea) is
'Has a worker ask the provider of this key whether it takes it; the next tick of its clock does.';
