-- Fronts are restarted one after another: until the operator says so, one that has the new master key already does not
-- move digests that another one, which has it second, would move back.
create or replace function admin.sp_announce_master_key(p_key_id text) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
    insert into ops.master_key as m (key_id) values (p_key_id)
    on conflict (only_row) do update set key_id = excluded.key_id, announced_at = excluded.announced_at
    where m.key_id <> excluded.key_id;
end
$$;

comment on function admin.sp_announce_master_key(text) is
'Says which master key is current: from now on digests of tokens move to its pepper when they are used.';
