"""Every table as a view for Piccolo Admin: what is not in a view cannot leave through its API.

The views on the queue's tables stand on functions, whose text PostgreSQL reads only when they run: the queue's tables
are made after our migrations, and its own upgrades must not meet a view.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from portal.database import engine

ID = "2026-11-22T14:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "A view for staff on every table, with masked addresses and without secrets or anybody's words."

FORWARDS = """
DROP VIEW staff.request, staff.export_part, staff.parcel, staff.mail, staff.mail_event, staff.evidence;

CREATE FUNCTION staff.masked(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN coalesce(address, '') = '' THEN ''
                WHEN position('@' IN address) > 0 THEN left(address, 1) || '…@' || split_part(address, '@', 2)
                ELSE left(address, 1) || '…' END
$$;
CREATE FUNCTION staff.today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('habeas.today', true), '')::date, current_date)
$$;
CREATE FUNCTION staff.day(at timestamptz) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (at AT TIME ZONE coalesce(nullif(current_setting('habeas.zone', true), ''), 'UTC'))::date
$$;
CREATE FUNCTION staff.said(key text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('habeas.words', true), '')::jsonb ->> key, split_part(key, ':', 2))
$$;
CREATE FUNCTION staff.called(member int) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT coalesce(nullif(name, ''), split_part(email, '@', 1)) FROM public.staff_user
                     WHERE id = member), '')
$$;
CREATE FUNCTION staff.seconds(at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_trunc('second', at, 'UTC')
$$;

CREATE VIEW staff.open_request AS
    SELECT r.reference, staff.said('right:' || r."right") AS "right", r.due_day - staff.today() AS days_left,
           r.due_day, r.act_by_day, r.promise_day, r.law_day,
           staff.said('next:' || CASE
               WHEN r.state = 'verifying' THEN 'identify'
               WHEN r.state = 'deciding' THEN 'decide'
               WHEN EXISTS (SELECT FROM task t WHERE t.request = r.id AND t.ended_at IS NULL) THEN 'task'
               WHEN r.state = 'ready' THEN 'part'
               ELSE 'worker' END) AS next_action,
           staff.called(r.assignee) AS owner, r.waits AS waiting, r.state, r.channel,
           staff.day(r.received_at) AS received_on
    FROM subject_request r WHERE r.closed_at IS NULL;
CREATE VIEW staff.request AS
    SELECT reference, "right", state, outcome, channel, staff.called(assignee) AS owner, language, format,
           staff.seconds(received_at) AS received_at, due_day, promise_day, law_day, act_by_day, extended_on,
           staff.seconds(closed_at) AS closed_at
    FROM subject_request;
CREATE VIEW staff.message AS
    SELECT m.id, r.reference, staff.seconds(m.at) AS at, m.author, m.kind, length(m.text) AS characters
    FROM request_message m JOIN subject_request r ON r.id = m.request;
CREATE VIEW staff.note AS
    SELECT n.id, r.reference, staff.seconds(n.at) AS at, staff.called(n.staff) AS colleague,
           length(n.text) AS characters
    FROM request_note n JOIN subject_request r ON r.id = n.request;
CREATE VIEW staff.look AS
    SELECT l.id, r.reference, staff.seconds(l.at) AS at, staff.called(l.staff) AS colleague, l.reason
    FROM request_look l JOIN subject_request r ON r.id = l.request;
CREATE VIEW staff.timeline_entry AS
    SELECT e.id, r.reference, staff.seconds(e.at) AS at, e.event
    FROM timeline_entry e JOIN subject_request r ON r.id = e.request;
CREATE VIEW staff.task AS
    SELECT t.id, r.reference, t.kind, t.about, t.state, t.due_day, staff.seconds(t.opened_at) AS opened_at,
           staff.seconds(t.asked_at) AS asked_at, staff.seconds(t.ended_at) AS ended_at, t.ended_by
    FROM task t JOIN subject_request r ON r.id = t.request;
CREATE VIEW staff.approval AS
    SELECT a.id, r.reference, a.verb, a.state, a.asked_by, staff.seconds(a.asked_at) AS asked_at, a.decided_by,
           staff.seconds(a.decided_at) AS decided_at
    FROM approval a LEFT JOIN subject_request r ON r.id = a.request;
CREATE VIEW staff.form_received AS
    SELECT f.id, r.reference, f.kind, staff.masked(f.email) AS address, staff.seconds(f.sent_at) AS sent_at,
           staff.seconds(f.confirmed_at) AS confirmed_at, f.mails, f.said, staff.seconds(f.said_at) AS said_at
    FROM intake_form f JOIN subject_request r ON r.id = f.request;
CREATE VIEW staff.upload AS
    SELECT u.id, r.reference, u.media_type, u.size_bytes, staff.seconds(u.came_at) AS came_at
    FROM upload u LEFT JOIN subject_request r ON r.id = u.request;
CREATE VIEW staff.copy AS
    SELECT p.id, r.reference, p.size_bytes, p.records, p.files, p.complete,
           staff.seconds(p.snapshot_at) AS snapshot_at, staff.seconds(p.ready_at) AS ready_at,
           staff.seconds(p.expires_at) AS expires_at, p.downloads_left, staff.seconds(p.deleted_at) AS deleted_at
    FROM parcel p JOIN subject_request r ON r.id = p.request;
CREATE VIEW staff.copy_part AS
    SELECT e.id, r.reference, e.position, e.source, e.category, e.state, e.expected, e.done, e.error,
           staff.seconds(e.failed_at) AS failed_at
    FROM export_part e JOIN subject_request r ON r.id = e.request;
CREATE VIEW staff.copy_search AS
    SELECT l.id, r.reference, l.texts, staff.seconds(l.found_at) AS found_at,
           staff.seconds(l.released_at) AS released_at
    FROM copy_look l JOIN subject_request r ON r.id = l.request;
CREATE VIEW staff.withheld_passage AS
    SELECT w.id, r.reference, w.source, w.category, w.part, w.field, w.sign, w.answer, w.lost, w.ground, w.by,
           staff.seconds(w.at) AS at
    FROM redaction w JOIN subject_request r ON r.id = w.request;

CREATE VIEW staff.plan AS
    SELECT p.id, r.reference, p.kind, p.whole, p.state, p.rounds, staff.seconds(p.approved_at) AS approved_at,
           staff.seconds(p.runs_at) AS runs_at, staff.seconds(p.begun_at) AS begun_at,
           staff.seconds(p.done_at) AS done_at
    FROM plan p JOIN subject_request r ON r.id = p.request;
CREATE VIEW staff.plan_step AS
    SELECT i.id, r.reference, i.position, i.source, i.category, i.action, i.ground, i.until, i.expected, i.state,
           i.means, i.error, i.tries, staff.seconds(i.failed_at) AS failed_at, staff.seconds(i.done_at) AS done_at
    FROM plan_item i JOIN plan p ON p.id = i.plan JOIN subject_request r ON r.id = p.request;
CREATE VIEW staff.kept_record AS
    SELECT h.id, r.reference, h.source, h.category, h.ground, h.until, h."left",
           staff.seconds(h.looked_at) AS looked_at, staff.seconds(h.erased_at) AS erased_at
    FROM held_item h JOIN plan p ON p.id = h.plan JOIN subject_request r ON r.id = p.request;
CREATE VIEW staff.scan AS
    SELECT s.id, r.reference, s.round, s.store, s.verdict, s.ground, s.places, s.findings, s.tries,
           staff.seconds(s.since) AS since, staff.seconds(s.at) AS at
    FROM scan_report s JOIN plan p ON p.id = s.plan JOIN subject_request r ON r.id = p.request;
CREATE VIEW staff.pause AS
    SELECT p.id, r.reference, p.categories, p.reason, staff.seconds(p.since) AS since,
           staff.seconds(p.noticed_at) AS noticed_at, staff.seconds(p.lifts_at) AS lifts_at,
           staff.seconds(p.lifted_at) AS lifted_at
    FROM restriction p JOIN subject_request r ON r.id = p.request;
CREATE VIEW staff.stopped_use AS
    SELECT u.id, r.reference, u.purpose, u.reason, staff.seconds(u.since) AS since, u.final,
           staff.seconds(u.ends_at) AS ends_at, staff.seconds(u.ended_at) AS ended_at
    FROM stopped_use u JOIN subject_request r ON r.id = u.request;
CREATE VIEW staff.never_written_to AS
    SELECT id, purpose, staff.seconds(since) AS since FROM suppression;
CREATE VIEW staff.correction AS
    SELECT c.id, r.reference, c.category, c.field, c.how, c.state, staff.seconds(c.made_at) AS made_at,
           staff.seconds(c.ended_at) AS ended_at, staff.seconds(c.kept_until) AS kept_until
    FROM correction c JOIN subject_request r ON r.id = c.request;
CREATE VIEW staff.address_change AS
    SELECT c.id, r.reference, c.state, staff.seconds(c.asked_at) AS asked_at,
           staff.seconds(c.cancel_until) AS cancel_until, staff.seconds(c.changed_at) AS changed_at,
           staff.seconds(c.hold_until) AS hold_until, staff.seconds(c.confirmed_at) AS confirmed_at
    FROM address_change c LEFT JOIN subject_request r ON r.id = c.request;

CREATE VIEW staff.person AS
    SELECT s.id, staff.masked(s.email) AS address, s.language, staff.seconds(s.created_at) AS created_at,
           (SELECT count(*) FROM subject_request r WHERE r.subject = s.id AND r.closed_at IS NULL)::int
               AS open_requests
    FROM subject s;
CREATE VIEW staff.known_identifier AS
    SELECT k.id, staff.masked(s.email) AS person, k.kind
    FROM known_identifier k JOIN subject s ON s.id = k.subject;
CREATE VIEW staff.outside_identity AS
    SELECT o.id, staff.masked(s.email) AS person, o.issuer, staff.seconds(o.created_at) AS created_at
    FROM outside_identity o JOIN subject s ON s.id = o.subject;
CREATE VIEW staff.session AS
    SELECT p.id, staff.masked(s.email) AS person, p.browser_label AS browser, p.way,
           staff.seconds(p.created_at) AS created_at, staff.seconds(p.expires_at) AS expires_at,
           staff.seconds(p.confirmed_at) AS confirmed_at, staff.seconds(p.ended_at) AS ended_at
    FROM person_session p JOIN subject s ON s.id = p.subject;
CREATE VIEW staff.sign_in_code AS
    SELECT id, staff.masked(email) AS address, purpose, language, tries, staff.seconds(created_at) AS created_at,
           staff.seconds(expires_at) AS expires_at, staff.seconds(sent_at) AS sent_at,
           staff.seconds(used_at) AS used_at
    FROM sign_in_attempt;
CREATE VIEW staff.outside_sign_in AS
    SELECT id, provider, language, staff.seconds(created_at) AS created_at,
           staff.seconds(expires_at) AS expires_at, staff.seconds(used_at) AS used_at
    FROM outside_attempt;

CREATE VIEW staff.mail AS
    SELECT id, kind, staff.masked(to_address) AS to_address, language, reference, state, tries, error,
           staff.seconds(created_at) AS created_at, staff.seconds(accepted_at) AS accepted_at
    FROM mail;
CREATE VIEW staff.mail_event AS
    SELECT svix_id, provider_id, kind, staff.seconds(occurred_at) AS occurred_at,
           staff.seconds(received_at) AS received_at
    FROM mail_event;

CREATE VIEW staff.evidence AS
    SELECT seq, at, event, actor, reference, details, previous, digest FROM evidence;
CREATE VIEW staff.receipt AS
    SELECT c.id, r.reference, '…' || right(c.number, 4) AS number, c.supplement,
           staff.seconds(c.issued_at) AS issued_at, c.key
    FROM receipt c LEFT JOIN subject_request r ON r.id = c.request;
CREATE VIEW staff.receipt_key AS SELECT id, public_key, staff.seconds(since) AS since FROM receipt_key;
CREATE VIEW staff.sealed_document AS
    SELECT digest, reference, length(body)::bigint AS size_bytes, staff.seconds(at) AS at FROM sealed;
CREATE VIEW staff.known_erasure AS SELECT id, staff.seconds(at) AS at FROM known_tombstone;
CREATE VIEW staff.tally AS
    SELECT id, by, month, "right", kind, key, times FROM request_tally;
CREATE VIEW staff.tally_mark AS SELECT name, seq FROM tally_mark;

CREATE FUNCTION staff.jobs() RETURNS TABLE (
    id bigint, name text, status text, attempts int, created timestamptz, updated timestamptz,
    runs_after timestamptz
) LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY
    SELECT q.id::bigint, q.entrypoint, q.status::text, q.attempts, staff.seconds(q.created),
           staff.seconds(q.updated), staff.seconds(q.execute_after)
    FROM public.pgqueuer q;
END $$;
CREATE VIEW staff.job AS SELECT * FROM staff.jobs();
CREATE FUNCTION staff.job_statistics() RETURNS TABLE (
    id bigint, name text, status text, jobs bigint, created timestamptz
) LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY
    SELECT q.id::bigint, q.entrypoint, q.status::text, q.count::bigint, staff.seconds(q.created)
    FROM public.pgqueuer_statistics q;
END $$;
CREATE VIEW staff.job_statistic AS SELECT * FROM staff.job_statistics();
CREATE FUNCTION staff.schedules() RETURNS TABLE (
    id bigint, name text, expression text, status text, last_run timestamptz, next_run timestamptz
) LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN QUERY
    SELECT q.id::bigint, q.entrypoint, q.expression, q.status::text, staff.seconds(q.last_run),
           staff.seconds(q.next_run)
    FROM public.pgqueuer_schedules q;
END $$;
CREATE VIEW staff.schedule AS SELECT * FROM staff.schedules();
CREATE VIEW staff.heartbeat AS SELECT name, staff.seconds(at) AS at FROM heartbeat;
CREATE VIEW staff.reminder_sent AS SELECT key, staff.seconds(at) AS at FROM reminder;
CREATE VIEW staff.failure_mended AS SELECT key, how, staff.seconds(at) AS at, by FROM failure_end;
CREATE VIEW staff.migration AS
    SELECT id, name, app_name, date_trunc('second', ran_on) AS ran_on FROM migration;

CREATE VIEW staff.colleague AS
    SELECT u.id, staff.called(u.id) AS name, staff.masked(u.email) AS address, u.roles, u.active, c.language
    FROM staff_user u LEFT JOIN staff_choice c ON c."user" = u.id;
CREATE VIEW staff.staff_session AS
    SELECT id, staff.called(user_id) AS colleague, label AS browser,
           staff.seconds(expiry_date AT TIME ZONE 'UTC') AS idle_until,
           staff.seconds(max_expiry_date AT TIME ZONE 'UTC') AS ends_at, staff.seconds(confirmed_at) AS confirmed_at
    FROM staff_session;
CREATE VIEW staff.staff_invitation AS
    SELECT id, staff.called("user") AS colleague, staff.seconds(created_at) AS created_at,
           staff.seconds(expires_at) AS expires_at, staff.seconds(used_at) AS used_at
    FROM staff_invitation;
CREATE VIEW staff.staff_passkey AS
    SELECT id, staff.called("user") AS colleague, name, staff.seconds(created_at) AS created_at,
           staff.seconds(used_at) AS used_at
    FROM staff_passkey;
CREATE VIEW staff.staff_recovery_code AS
    SELECT id, staff.called("user") AS colleague, staff.seconds(created_at) AS created_at,
           staff.seconds(used_at) AS used_at
    FROM staff_recovery_code;
CREATE VIEW staff.staff_identity AS
    SELECT id, staff.called("user") AS colleague, issuer, staff.seconds(created_at) AS created_at
    FROM staff_identity;

CREATE VIEW staff.letter_addition AS SELECT id, kind, language, text FROM letter_addition;
CREATE VIEW staff.reason_hint AS SELECT id, reason, text FROM reason_hint;
CREATE VIEW staff.recipient_contact AS
    SELECT id, recipient, name::varchar(200), email::varchar(200), url::varchar(200) FROM recipient_contact;
"""

BACKWARDS = """
DROP SCHEMA staff CASCADE;
CREATE SCHEMA staff;
CREATE VIEW staff.request AS
    SELECT reference, "right", state, outcome, format, language, received_at, due_day, law_day, closed_at
    FROM subject_request;
CREATE VIEW staff.export_part AS
    SELECT part.id, request.reference, part.position, part.source, part.category, part.state,
           part.expected, part.done, part.error, part.failed_at
    FROM export_part AS part JOIN subject_request AS request ON request.id = part.request;
CREATE VIEW staff.parcel AS
    SELECT parcel.id, request.reference, parcel.size_bytes, parcel.records, parcel.files, parcel.complete,
           parcel.snapshot_at, parcel.ready_at, parcel.expires_at, parcel.downloads_left, parcel.deleted_at
    FROM parcel JOIN subject_request AS request ON request.id = parcel.request;
CREATE VIEW staff.mail AS
    SELECT id, kind, left(to_address, 1) || '…@' || split_part(to_address, '@', 2) AS to_address,
           language, reference, state, tries, created_at, accepted_at
    FROM mail;
CREATE VIEW staff.mail_event AS
    SELECT svix_id, provider_id, kind, occurred_at, received_at FROM mail_event;
CREATE VIEW staff.evidence AS
    SELECT seq, at, event, actor, reference, details, previous, digest FROM evidence;
"""


async def forwards() -> MigrationManager:
    """Return the migration."""
    manager = MigrationManager(migration_id=ID, app_name="admin", description=DESCRIPTION)

    async def run() -> None:
        await engine().connection.execute(FORWARDS)

    async def run_back() -> None:
        await engine().connection.execute(BACKWARDS)

    manager.add_raw(run)
    manager.add_raw_backwards(run_back)
    return manager
