"""Habits of phrasing that make a page read as a translation, each with its cure and an example.

A habit is a regular expression over prose. Blanks in a pattern match any white space, so a phrase that is broken over
two lines is found. Case is ignored unless the pattern says otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Habit:
    """One habit.

    Shapes: `example` is a sentence that the pattern finds; `better` is the same sentence, cured.
    """

    name: str
    pattern: str
    cure: str
    example: str
    better: str

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern.replace(" ", r"\s+"), re.IGNORECASE)


def _habit(name: str, pattern: str, cure: str, example: str, better: str) -> Habit:
    return Habit(name=name, pattern=pattern, cure=cure, example=example, better=better)


_SENTENCE_START = r"(?:\A|(?<=[.!?;:|]\s)|(?<=\n\n)|(?<=#\s)|(?<=[-*]\s))"
_NO_QUESTION = r"(?![^.!;|]{0,300}\?)"

_WORD_ORDER = (
    _habit(
        "what-subject",
        rf"{_SENTENCE_START}(?-i:What)\b{_NO_QUESTION}",
        "name the thing that the clause describes; a question may keep its 'What'",
        "What nobody has anything of.",
        "Container seconds that produced nothing.",
    ),
    _habit(
        "who-subject",
        rf"{_SENTENCE_START}(?-i:Who)\b{_NO_QUESTION}",
        "name the actor: 'callers that …', 'anyone who …'",
        "Who must not miss an event follows the change feed.",
        "Consumers that must not miss events read the change feed.",
    ),
    _habit(
        "where-if",
        rf"{_SENTENCE_START}(?-i:Where)\b{_NO_QUESTION}",
        "'if', 'when'; a noun phrase: name the thing; a question may keep its 'Where'",
        "Where polls cost requests, the worker sends heartbeats.",
        "If polls cost requests, the worker sends heartbeats.",
    ),
    _habit(
        "whoever",
        r"\bwho(?:m|so)?ever\b",
        "'anyone who', or name the actor: the caller, the deployer",
        "Whoever deployed may write them.",
        "Anyone with deployment rights can write them.",
    ),
    _habit(
        "also-when",
        r"\balso (?:when|where|while|if)\b",
        "'even when', 'even if'",
        "It works, also when the host is killed.",
        "It works even if the host is killed.",
    ),
    _habit(
        "is-no",
        r"(?<!\bthere\s)\b(?:is|are|was|were) no\b(?! (?:longer|more|less|fewer|later|need|match|limit)\b)",
        "'is not a …', 'is not an …'",
        "That is no job.",
        "That is not a valid job.",
    ),
    _habit(
        "is-none",
        r"(?<!\bthere\s)\b(?:is|are|was|were) (?-i:none)\b(?! of\b)",
        "'does not exist', 'is not one', 'has none'",
        "A message that is none is recorded.",
        "A message that is not a valid job is recorded.",
    ),
    _habit(
        "is-to-be",
        r"\b(?:is|are|was|were) to be\b",
        "'must be', 'should be', 'will be'",
        "The resources that are to be closed.",
        "The resources that must be closed.",
    ),
    _habit(
        "so-many",
        r"\bso (?:many|few|much|long|often|soon)\b(?! as\b)",
        "'this many', 'this long', or the number itself",
        "A worker is given so long to claim.",
        "How long a worker has to claim.",
    ),
    _habit(
        "all-that-is",
        r"\ball that (?:is|was|are|it|they|you|he|she|a|the)\b",
        "'everything …', 'all the …'",
        "This page is all that you need.",
        "This page has everything you need.",
    ),
    _habit(
        "else-clause",
        r"[;,:] else\b(?! if\b)",
        "'otherwise'",
        "Give a command; else a message is required.",
        "Give a command; otherwise a message is required.",
    ),
    _habit(
        "log-wants",
        r"\bthe log (?:wants|does not want|did not want)\b",
        "'the log expects'",
        "A group that the log does not want.",
        "A group that the log does not expect.",
    ),
    _habit(
        "nothing-of",
        r"\bnothing of (?:it|them|this|that|the|its|their)\b",
        "'none of it', 'no part of'",
        "Nothing of it was run.",
        "None of it was run.",
    ),
    _habit(
        "long-sentence",
        r"(?:(?![-*] |\d+\. )[^\s.!?:;|(){}<>]+ ){45}",
        "split it: two clauses at most",
        "word " * 46,
        "Two short sentences. They say one thing each.",
    ),
)

_VERBS = (
    _habit(
        "told",
        r"\b(?:told|tells?|telling)\b",
        "'shown', 'reported', 'returns', 'indicates'",
        "The worker is told to stop.",
        "The worker receives a stop signal.",
    ),
    _habit(
        "said",
        r"\b(?:is|are|was|were|be|been|it|he|they|who|worker|platform) said\b|\bsaid (?:where|what|how|so|of)\b",
        "'shown', 'reported', 'documented'",
        "The worker said how far it is.",
        "The worker reported progress.",
    ),
    _habit(
        "stands",
        r"\b(?:stands?|stood)\b(?!-| (?:in for|for|alone)\b)",
        "'is', 'remains', 'is final'",
        "The outcome stands.",
        "The outcome is final.",
    ),
    _habit(
        "goes-on",
        r"\b(?:go|goes|going|went|gone) on\b",
        "'continues', 'resumes'",
        "The dialog goes on from there.",
        "The dialog continues from there.",
    ),
    _habit(
        "asked-for",
        r"\bask(?:s|ed|ing)? for\b",
        "'requested', 'requests'",
        "Every container that was asked for.",
        "Every container that was requested.",
    ),
    _habit(
        "looks",
        r"\blook(?:s|ed|ing)? (?:at|for it|again|whether|once)\b"
        r"|\b(?:a|the|each|every|next|first|last|later|only|by|turns? off the) looks?\b",
        "'polls', 'checks', 'poll'",
        "It is looked at after 90 seconds.",
        "It is polled after 90 seconds.",
    ),
    _habit(
        "seen",
        r"\bseen (?:gone|again|to|running)\b|\b(?:is|are|was|were|be|been) seen\b(?! by\b)",
        "'confirmed gone', 'observed', 'reported'",
        "Followed until it is seen gone.",
        "Tracked until it is confirmed gone.",
    ),
    _habit(
        "held-against",
        r"\b(?:hold|holds|held|holding)\b[^.;|]{0,40}\bagainst\b",
        "'compares with', 'checks against'",
        "The lag is held against the last 100 events.",
        "The lag is measured against the last 100 events.",
    ),
    _habit(
        "mend",
        r"\bmend(?:s|ed|ing)?\b",
        "'fix', 'repair'",
        "It names the field and the mend.",
        "It names the field and the fix.",
    ),
    _habit(
        "wanted",
        r"\bwanted\b|\bwants (?:a|an|the|no|its)\b",
        "'target', 'required', 'requires'",
        "177 jobs/s (200 was wanted).",
        "177 jobs/s (target: 200).",
    ),
    _habit(
        "reckon",
        r"\breckon(?:s|ed|ing)?\b",
        "'estimate', 'calculate'",
        "The units are reckoned from list prices.",
        "The units are calculated from list prices.",
    ),
    _habit(
        "breaks-off",
        r"\b(?:break|breaks|broke|broken|breaking) off\b",
        "'is interrupted', 'disconnects'",
        "When it breaks off, run it again.",
        "If interrupted, run it again.",
    ),
    _habit(
        "take-in",
        r"\b(?:take|takes|took|taken|taking)(?: (?:it|them|a message|messages|a report))? in\b(?= [.,:;]|[.,:;)]|\Z)"
        r"|\btake in `",
        "'receive', 'accept', 'read'",
        "Take a message in.",
        "Receive a message.",
    ),
    _habit(
        "lives",
        r"\bthat (?:it|they) lives?\b|\bwhich lives\b|\bsays? that (?:it|they) (?:is|are) alive\b",
        "'sends a heartbeat', 'is alive'",
        "A worker says that it lives.",
        "A worker sends heartbeats.",
    ),
    _habit(
        "knows-nobody",
        r"\bknows? (?:nobody|nothing|no one|none)\b",
        "'does not depend on', 'imports nothing from'",
        "The core knows nobody.",
        "The core imports no other package.",
    ),
    _habit(
        "had",
        r"\b(?:can|cannot|could|may|must) be had\b",
        "'is available', 'is unavailable'",
        "Logs that cannot be had are skipped.",
        "Unavailable logs are skipped.",
    ),
    _habit(
        "made-up",
        r"\bmade up\b",
        "'generated', 'invented'",
        "A name is made up if empty.",
        "A name is generated if empty.",
    ),
    _habit(
        "speaks-to",
        r"\bspeaks? to\b",
        "'works against', 'talks to', 'calls'",
        "The same commands speak to Azure.",
        "The same commands work against Azure.",
    ),
)

_PHRASES = (
    _habit("for-ever", r"\bfor ever\b", "'forever'", "No job waits for ever.", "No job waits forever."),
    _habit("anew", r"\banew\b|\bmade again\b", "'again', 'rebuilt'", "The page is drawn anew.", "The page is redrawn."),
    _habit(
        "in-the-place-of",
        r"\bin the place of\b|\bin (?:its|their|his) place\b",
        "'instead of', 'to replace'",
        "An image in the place of a command.",
        "An image instead of a command.",
    ),
    _habit(
        "by-itself",
        r"\bby (?:itself|themselves|himself)\b",
        "'automatically', 'on its own'",
        "The account catches up by itself.",
        "The account catches up automatically.",
    ),
    _habit(
        "of-its-own",
        r"\bof (?:its|their|your|our|my|his) own\b",
        "'its own …', 'a separate …'",
        "A read model of its own.",
        "A separate read model.",
    ),
    _habit(
        "meanwhile",
        r"\b(?:meanwhile|by then)\b",
        "'in the meantime', or the point in time",
        "Groups keep running meanwhile.",
        "Groups keep running in the meantime.",
    ),
    _habit(
        "somebody",
        r"\b(?:somebody|everybody|nobody|anybody)\b",
        "name the actor, or 'someone', 'everyone', 'no one'",
        "Somebody canceled it.",
        "A user canceled it.",
    ),
    _habit(
        "in-the-way",
        r"\bin (?:the|its|their|his) way\b(?! (?:that|in which|we|it|the|described)\b)",
        "'blocks', 'blocker'",
        "It shows what is in the way.",
        "It shows any blockers.",
    ),
    _habit(
        "some-number",
        r"\bsome (?:\d+|twenty|thirty|forty|fifty|sixty|a hundred|hundred|ten)\b",
        "'about'",
        "A document of some 30 KB.",
        "A document of about 30 KB.",
    ),
    _habit(
        "way-round",
        r"\bway round\b",
        "'the other way around'",
        "It fails the other way round.",
        "It fails the other way around.",
    ),
    _habit(
        "at-the-very-most",
        r"\bat the very (?:most|least)\b",
        "'at most', 'maximum'",
        "Costs 3 USD at the very most.",
        "Costs at most 3 USD.",
    ),
    _habit("dear", r"\bdear(?:er|est)?\b", "'expensive', 'hard'", "It is dear to reverse.", "It is hard to reverse."),
    _habit("planted", r"\bplant(?:s|ed)?\b", "'mutant'", "It finds each planted bug.", "It kills each mutant."),
    _habit(
        "rooms",
        r"\brooms\b",
        "'packages', 'folders'",
        "The rooms of the project.",
        "The packages of the project.",
    ),
    _habit(
        "internal-number",
        r"\bpains? \d+\b|\bS\d{1,2} to S\d{1,2}\b",
        "state the reason itself; the numbers are defined nowhere in the repository",
        "Silence says nothing about the container (pain 8).",
        "An unanswered request says nothing about the container.",
    ),
    _habit(
        "archaic",
        r"\b(?:whilst|amongst|thereby|therein|thereof|whereby|wherein|hereby|herein|upon)\b",
        "the plain word: 'while', 'among', 'in it', 'on'",
        "It is called upon to stop.",
        "It is called to stop.",
    ),
)

_SPELLING = (
    _habit(
        "spelling-our",
        r"\b(?:colour|behaviour|favour|honour|labour|neighbour|flavour|humour|rumour|endeavour)\w*",
        "American spelling: color, behavior, favor, honor",
        "The behaviour of the host.",
        "The behavior of the host.",
    ),
    _habit(
        "spelling-ise",
        r"\b(?:organis|recognis|initialis|normalis|optimis(?![mt])|serialis|authoris|synchronis|summaris|minimis|maximis"
        r"|customis|materialis|categoris|prioritis|finalis|generalis|specialis|localis|capitalis|utilis|tokenis)\w+"
        r"|\banalys(?:e|ed|es|ing)\b",
        "American spelling: -ize, -yze",
        "The report is recognised.",
        "The report is recognized.",
    ),
    _habit(
        "spelling-ll",
        r"\b(?:cancell|travell|labell|modell|signall|marshall)(?:ed|ing|er)\b|\bfulfil\b",
        "American spelling: canceled, labeled, fulfill",
        "The job was cancelled.",
        "The job was canceled.",
    ),
    _habit(
        "spelling-other",
        r"\b(?:centre|metre|licence|defence|offence|grey|catalogue|artefact|judgement|acknowledgement|learnt|spelt"
        r"|burnt|towards|practise|programme)s?\b",
        "American spelling: center, license, gray, artifact, toward",
        "Canceled jobs are grey.",
        "Canceled jobs are gray.",
    ),
)

HABITS: tuple[Habit, ...] = (*_WORD_ORDER, *_VERBS, *_PHRASES, *_SPELLING)
