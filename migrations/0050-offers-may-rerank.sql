-- Models may put documents in the order in which they answer a question.
set local role onevault_owner;

-- squawk-ignore ban-drop-constraint
alter table gateway.offer_s drop constraint capabilities_are_known;
alter table gateway.offer_s
add constraint capabilities_are_known check (capabilities <@ '{chat,embedding,image,rerank}'::text[]) not valid;
