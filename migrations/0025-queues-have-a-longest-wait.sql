-- How long a call of each tier may have to wait before new ones of that tier are refused: overload costs the lowest
-- tier first, and a refusal at once beats an answer that nobody waits for any more.
set local role onevault_owner;

create table ops.admission (
    queue_name text primary key,
    longest_wait interval not null,
    constraint queue_is_known check (queue_name in ('premium', 'standard', 'basic')),
    constraint longest_wait_is_positive check (longest_wait > interval '0')
);

insert into ops.admission (queue_name, longest_wait) values
('premium', '10 seconds'), ('standard', '5 seconds'), ('basic', '2 seconds');

comment on table ops.admission is
'How long a call may have to wait in its tier''s queue; new ones are refused (503) while it would be longer.';
comment on column ops.admission.longest_wait is 'In force within a tenth of a second of a change.';
