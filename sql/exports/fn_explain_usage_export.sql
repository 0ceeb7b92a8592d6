-- What is different with an export; the rest is told in the words for webhooks.
create or replace function admin.fn_explain_usage_export(p_error_class text, out finding text, out remedy text)
language sql immutable parallel safe
begin atomic
    select coalesce(e.finding, w.finding), coalesce(e.remedy, w.remedy)
    from admin.fn_explain_webhook(p_error_class) as w
    left join (
        values
        ('duplicate', 'the target had it already', 'Nothing: it counts once.'),
        ('refused', 'the target refuses it',
            'Compare event_name and external_id with what the target knows, mend them, then '
            || 'admin.resend_usage_events(export).'),
        ('unauthorized', 'the target does not take the key',
            'Set another: onevault export key set EXPORT. What was parked for it goes out then.'),
        ('gone', 'the target says that nobody takes events there any more (410)',
            'Set another endpoint, then admin.resend_usage_events(export).'),
        ('no_export', 'the export was deleted before this went out', 'Nothing: a deleted export sends no more.'),
        ('key_does_not_open', 'the key does not open under any master key that the worker has',
            'See onevault keys status, or set it again: onevault export key set EXPORT.'),
        ('busy', 'the target was at something else (408, 409, 425)', 'Nothing: it is tried again later.'),
        ('redirected', 'the target redirects, and redirects are not followed',
            'Set endpoint to the address that it redirects to.'),
        ('timeout', 'the target did not answer in time', 'Nothing: it is tried again later.'),
        ('server_error', 'the target failed', 'Nothing: it is tried again later. See the target''s status page.'),
        ('cut', 'the connection broke before an answer', 'Nothing: it is tried again later.'),
        ('overdue', 'it was tried a day ago or longer, and nobody knows whether it was taken',
            'Look whether the target has it; if it has not, admin.resend_usage_events(export, event_id).'),
        ('connect', 'nobody answers there', 'Is endpoint right, and may the workers reach it?'),
        ('unknown_host', 'the name of the host is not known', 'Look for a typing error in endpoint, and at the DNS.'),
        ('bad_url', 'the address cannot be read', 'Set endpoint to an address like https://api.stripe.com.'),
        ('forbidden_address', 'http goes to this machine only', 'Set endpoint to an https address.'),
        ('resent', 'somebody sent it again', 'Nothing: it is tried now.')
    ) as e (error_class, finding, remedy) on e.error_class = p_error_class;
end;

comment on function admin.fn_explain_usage_export(text) is
'What a class of failed hand-overs means and what to do, as sentences.';
