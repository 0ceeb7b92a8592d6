-- Everything that is sealed under a master key and in force, wherever it lies. A sealed secret names its key in its
-- bytes 2 to 9 (see onevault/envelope.py); nobody but the owner reads this view.
drop view if exists ops.sealed_secret;
create view ops.sealed_secret as
select
    s.kind, s.row_hk, s.name, s.sealed, s.load_date,
    case
        when octet_length(s.sealed) >= 105 and get_byte(s.sealed, 0) = 1
            then encode(substr(s.sealed, 2, 8), 'hex')
        else 'unreadable'
    end as master_key_id
from (
    select
        'house key' as kind, s.provider_key_hk as row_hk, p.provider_bk || ', key ' || s.key_name as name,
        s.api_key_encrypted as sealed, s.load_date
    from gateway.ai_provider_key_s as s
    inner join gateway.ai_provider_key_h as h on s.provider_key_hk = h.provider_key_hk
    inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
    where s.load_end_date is null
    union all
    select
        'customer key', s.customer_provider_key_hk, c.customer_bk || ' at ' || p.provider_bk, s.api_key_encrypted,
        s.load_date
    from gateway.customer_provider_keys_s as s
    inner join gateway.customer_provider_keys_h as h on s.customer_provider_key_hk = h.customer_provider_key_hk
    inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    where s.load_end_date is null
    union all
    select 'token fingerprint', s.customer_hk, c.customer_bk, s.api_key_encrypted, s.load_date
    from gateway.customer_config_s as s
    inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
    where s.load_end_date is null and octet_length(s.api_key_encrypted) > 0
    union all
    select 'webhook secret', s.webhook_secret_hk, c.customer_bk, s.secret_encrypted, s.load_date
    from gateway.webhook_secret_s as s
    inner join gateway.webhook_secret_h as h on s.webhook_secret_hk = h.webhook_secret_hk
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    where s.load_end_date is null and s.valid_to > now()
    union all
    select 'export key', s.usage_export_hk, h.usage_export_bk, s.key_encrypted, s.load_date
    from gateway.usage_export_key_s as s
    inner join gateway.usage_export_h as h on s.usage_export_hk = h.usage_export_hk
    where s.load_end_date is null
) as s;

comment on view ops.sealed_secret is
'Sealed secrets in force with the master key that each is sealed under: keys of the house, keys of customers, the
fingerprints of first tokens, the secrets that sign webhooks and the keys of exports. For "onevault keys".';
