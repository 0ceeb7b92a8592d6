-- Decisions name the version of the principal that they were made for. Its digest is no part of what is kept.
create or replace function ops.tg_principal_keep_past() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - 'version' - 'token_digest' = to_jsonb(old) - 'version' - 'token_digest' then
            new.version := old.version;
            return new;
        end if;
        new.version := nextval('ops.version');
    end if;
    insert into ops.past (version, thing, was) values (old.version, 'principal', to_jsonb(old) - 'token_digest');
    return case tg_op when 'UPDATE' then new else old end;
end
$$;

create or replace trigger principal_keeps_past before update or delete on ops.principal
for each row execute function ops.tg_principal_keep_past();
