/**
 * What can go wrong between pane and service, sorted by what the pane does next. `detail` and `remedy` are words for
 * people as the service wrote them; decisions are made by class and `code`.
 */

export class PaneError extends Error {
  constructor(message, more = {}) {
    super(message);
    this.name = new.target.name;
    this.detail = more.detail ?? message;
    this.remedy = more.remedy ?? "";
    this.code = more.code ?? "";
    this.status = more.status ?? 0;
    this.requestId = more.request_id ?? "";
    this.problem = more;
  }
}

/** No answer at all: no network, or the service is not there. */
export class Offline extends PaneError {}
/** It took too long. */
export class TimedOut extends Offline {}
/** A token is missing, over or refused: the person has to sign in. `claims`: what the next token must be asked with. */
export class NotSignedIn extends PaneError {}
/** The company or the person has not allowed it yet. */
export class ConsentNeeded extends NotSignedIn {}
/** The person closed the window or said no; nothing is wrong. */
export class SignInCancelled extends PaneError {}
export class NotAllowed extends PaneError {}
export class NotConnected extends PaneError {}
export class NotFound extends PaneError {}
/** 412: somebody else saved in between. */
export class Stale extends PaneError {}
/** 409: a run is under way; `problem.run` names it. */
export class AlreadyRunning extends PaneError {}
/** 409 and 422: the request as it stands cannot be carried out; `problem.errors` names fields. */
export class Refused extends PaneError {}
/** 429 and 503: later; `retryAfter` in seconds, or null. */
export class TryLater extends PaneError {}
/** 5xx and answers that make no sense. */
export class ServerError extends PaneError {}

const BY_CODE = {
  not_signed_in: NotSignedIn,
  consent_needed: ConsentNeeded,
  not_connected: NotConnected,
  already_running: AlreadyRunning,
};
const BY_STATUS = { 401: NotSignedIn, 403: NotAllowed, 404: NotFound, 412: Stale, 428: Stale, 429: TryLater, 503: TryLater };

/** problem: the parsed body, or null when it was none. */
export function errorOf(status, problem, { retryAfter = null, requestId = "" } = {}) {
  const facts = { status, request_id: requestId, ...problem };
  const Kind = BY_CODE[facts.code] ?? BY_STATUS[status] ?? (status >= 500 || !problem ? ServerError : Refused);
  const error = new Kind(facts.detail ?? facts.title ?? `HTTP ${status}`, facts);
  error.retryAfter = retryAfter;
  return error;
}
