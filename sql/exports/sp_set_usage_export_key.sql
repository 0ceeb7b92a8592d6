-- Told by its fingerprint: the same key adds no version. What waits is tried at once, and what was parked because the
-- target did not take the key before, or nobody could open it, goes out again. Nobody reads from the export meanwhile:
-- what was read before has the old key, and fn_book_usage_events tells it by the time.
create or replace function admin.sp_set_usage_export_key(
    p_export text, p_fingerprint bytea, p_key_encrypted bytea, p_encryption_key_id text
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_export gateway.usage_export_s := admin.fn_find_export(p_export);
    v_is_new boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended(encode(v_export.usage_export_hk, 'hex'), 5));
    v_is_new := admin.fn_save_satellite(
        'gateway.usage_export_key_s', jsonb_build_object('usage_export_hk', v_export.usage_export_hk),
        jsonb_build_object(
            'key_fingerprint', p_fingerprint, 'key_encrypted', p_key_encrypted, 'encryption_key_id', p_encryption_key_id
        ), '{key_encrypted}'
    );
    update pgmq.q_usage_event as q set vt = clock_timestamp()
    where
        q.message ->> 'lane' >= encode(v_export.usage_export_hk, 'hex')
        and q.message ->> 'lane' < encode(v_export.usage_export_hk, 'hex') || 'g'
        and q.last_read_at is null and q.vt > clock_timestamp();
    perform admin.resend_usage_events(p_export, p_error_class => c.class)
    from unnest('{unauthorized,key_does_not_open}'::text[]) as c (class);
    return v_is_new;
end
$$;

comment on function admin.sp_set_usage_export_key(text, bytea, bytea, text) is
'Sets an export''s key, sealed for what sp_identify_usage_export says; true when it is another than before.';
