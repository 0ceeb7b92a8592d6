create or replace function admin.fn_explain_webhook(p_error_class text, out finding text, out remedy text)
language sql immutable parallel safe
begin atomic
    select e.finding, e.remedy
    from (
        values
        ('no_endpoint', 'the customer has no address for events any more',
            'Set one: update admin.customer set webhook_url = ''https://…'' where customer = ''…''.'),
        ('no_secret', 'there is no secret to sign with, and nothing is sent unsigned',
            'Make one: onevault webhook secret CUSTOMER. What waits is sent then.'),
        ('secret_does_not_open', 'the secret does not open under any master key that the worker has',
            'See onevault keys status, or make another: onevault webhook secret CUSTOMER.'),
        ('bad_url', 'the address cannot be read', 'Set webhook_url to an address like https://example.com/hook.'),
        ('unknown_host', 'the name of the host is not known',
            'Look for a typing error in webhook_url, and at the DNS.'),
        ('forbidden_address', 'the host has an address that is not public',
            'Inside a company''s network: name that network in ONEVAULT_WEBHOOK_ALLOWED_NETWORKS of the workers.'),
        ('forbidden_port', 'a public host is called at port 443 only',
            'Leave the port out of webhook_url, or name the network in ONEVAULT_WEBHOOK_ALLOWED_NETWORKS.'),
        ('connect', 'nobody answers there', 'Is the endpoint running, and may the workers reach it?'),
        ('certificate', 'its certificate is not valid for this name',
            'Renew it, or name a private authority''s certificate in ONEVAULT_WEBHOOK_CA_FILE of the workers.'),
        ('timeout', 'it did not answer in time', 'Answer 200 at once and do the work afterwards.'),
        ('cut', 'the connection broke before an answer', 'Look into the endpoint''s log.'),
        ('redirected', 'it redirects, and redirects are not followed',
            'Set webhook_url to the address it redirects to.'),
        ('gone', 'it is gone (410), so nothing more was tried', 'Set another webhook_url, or NULL for none.'),
        ('throttled', 'it takes no more for now (429)', 'Nothing: it is tried again later.'),
        ('refused', 'it refuses the event', 'Does it verify with the newest secret? Look into its log.'),
        ('server_error', 'it failed', 'Look into the endpoint''s log.'),
        ('lost', 'the worker was lost before it could tell', 'Nothing: it is tried again later.')
    ) as e (error_class, finding, remedy)
    where e.error_class = p_error_class;
end;

comment on function admin.fn_explain_webhook(text) is
'What a class of failed deliveries means and what to do, as sentences.';
