-- The roles of the house. Roles belong to the whole cluster, so a second database on it finds them there already.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['onevault_owner', 'onevault_reader'] loop
        if not exists (select from pg_catalog.pg_roles as r where r.rolname = v_role) then
            execute format('create role %I nologin noinherit', v_role);
        end if;
    end loop;
    foreach v_role in array array['onevault_app', 'onevault_worker', 'onevault_dba', 'onevault_bi'] loop
        if not exists (select from pg_catalog.pg_roles as r where r.rolname = v_role) then
            execute format('create role %I login noinherit', v_role);
        end if;
    end loop;
exception
    -- Another database of the same cluster migrates at this moment and was first.
    when duplicate_object or unique_violation then null;
end
$$;

-- Whoever migrates acts as the owner, also where he is no superuser.
do $$
begin
    if not (select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = current_user) then
        execute format('grant onevault_owner, onevault_reader to %I', current_user);
        -- And a service that is given his connection string acts as its own role on it.
        execute format(
            'grant onevault_app, onevault_worker, onevault_dba to %I with inherit false, set true', current_user
        );
    end if;
    execute format('grant create on database %I to onevault_owner', current_database());
    execute format('revoke all on database %I from public', current_database());
    execute format(
        'grant connect on database %I to onevault_app, onevault_worker, onevault_dba, onevault_bi',
        current_database()
    );
end
$$;

-- Service sessions: short waits, durable commits, errors that show no values.
alter role onevault_app set lock_timeout = '2s';
alter role onevault_app set statement_timeout = '10s';
alter role onevault_app set idle_in_transaction_session_timeout = '5s';
alter role onevault_worker set lock_timeout = '5s';
alter role onevault_worker set statement_timeout = '30s';
alter role onevault_worker set idle_in_transaction_session_timeout = '5s';
alter role onevault_bi set statement_timeout = '30s';
alter role onevault_bi set default_transaction_read_only = on;
