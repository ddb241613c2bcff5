"""NTLM and SPNEGO with pyspnego over a pipe, each side as initiator and as acceptor."""

import os
import tempfile

import spnego
from spnego._context import GSSMech
from spnego._negotiate import NegotiateProxy
from spnego._ntlm import NTLMProxy
from spnego._ntlm_raw.messages import AvId, Authenticate, AvFlags, NTClientChallengeV2, TargetInfo
from spnego._spnego import NegState, NegTokenInit, NegTokenResp, unpack_token

from pipe import Checks, Peer, Refused

USER, PASSWORD = "alice", "Pässword-01"
MESSAGES = [b"<s:Envelope/>", b"", b"x" * 100_000, "Größe".encode()]


def account_file(password):
    """The accounts of pyspnego's acceptor: DOMAIN:USER:PASSWORD."""
    file = tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", delete=False)
    with file:
        file.write(f":{USER}:{password}\n")
    return file.name


def theirs(side, protocol, password=PASSWORD):
    options = spnego.NegotiateOptions.use_negotiate if protocol == "negotiate" else spnego.NegotiateOptions.use_ntlm
    request = spnego.ContextReq.default
    if side == "initiator":
        return spnego.client(
            USER, password, "localhost", "http", protocol=protocol, options=options, context_req=request
        )
    # It reads the file when it steps, so the file stays.
    os.environ["NTLM_USER_FILE"] = account_file(password)
    return spnego.server("localhost", "http", protocol=protocol, options=options, context_req=request)


class Pair:
    """Our context and theirs, with every token that went between them."""

    def __init__(self, our_side, protocol, our_password=PASSWORD, their_password=PASSWORD, arguments=()):
        bare = ["--bare"] if protocol == "ntlm" and our_side == "initiator" else []
        self.peer = Peer(our_side, *bare, *arguments, USER, our_password)
        self.theirs = theirs("acceptor" if our_side == "initiator" else "initiator", protocol, their_password)
        self.we_start = our_side == "initiator"
        self.tokens = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.__exit__()

    def establish(self):
        """Ends when neither has another token to send."""
        turn = self.peer if self.we_start else self.theirs
        token = turn.step(None)
        while token is not None:
            self.tokens.append(token)
            turn = self.theirs if turn is self.peer else self.peer
            token = turn.step(token)
        if not self.peer.established and self.we_start:
            # They sent nothing more; our initiator judges whether that will do.
            self.peer.step(None)
        assert self.peer.established, "our side is not established"
        assert self.theirs.complete, "pyspnego's side is not established"
        return self

    def exchange(self):
        """Sealed messages in both directions, several, so that state must carry over."""
        for message in MESSAGES:
            header, sealed = self.peer.wrap(message)
            assert sealed != message or not message, "sent in clear"
            assert self.theirs.unwrap_winrm(header, sealed) == message, "pyspnego read another message"
            wrapped = self.theirs.wrap_winrm(message)
            assert self.peer.unwrap(wrapped.header, wrapped.data) == message, "we read another message"

    def mech_list_mics(self):
        """Of how many tokens carry a mechListMIC."""
        decoded = [unpack_token(token) for token in self.tokens]
        return sum(bool(getattr(token, "mech_list_mic", None)) for token in decoded)

    def first_sequence_number(self):
        header, _ = self.peer.wrap(b"first")
        return int.from_bytes(header[12:16], "little")


def refused(action, *kinds):
    try:
        action()
    except kinds:
        return
    raise AssertionError("was not refused")


def talks(our_side, protocol, mics, arguments=()):
    def check():
        with Pair(our_side, protocol, arguments=arguments) as pair:
            pair.establish().exchange()
            if protocol == "ntlm":
                assert all(token.startswith(b"NTLMSSP\0") for token in pair.tokens), "not bare"
            else:
                assert isinstance(unpack_token(pair.tokens[0]), NegTokenInit), "not SPNEGO"
                assert pair.mech_list_mics() == mics, f"{pair.mech_list_mics()} mechListMICs instead of {mics}"
                last = unpack_token(pair.tokens[-1])
                assert isinstance(last, NegTokenResp) and last.neg_state == NegState.accept_complete, "not completed"
        with Pair(our_side, protocol, arguments=arguments) as pair:
            # The MIC took sequence number 0 (MS-SPNG 3.3.5.1 puts back the cipher only).
            number = pair.establish().first_sequence_number()
            assert number == (1 if mics else 0), f"first sequence number is {number}"

    return check


def refuses_wrong_password(our_side, protocol):
    """Whoever accepts must refuse; the initiator gets no context that works."""

    def check():
        with Pair(our_side, protocol, our_password="wrong") as pair:
            accepting = spnego.exceptions.SpnegoError if our_side == "initiator" else Refused
            refused(pair.establish, accepting)
            # A bare initiator has the last word, and learns of the refusal from HTTP.
            assert (our_side, protocol) == ("initiator", "ntlm") or not pair.peer.established, "established"

    return check


def refuses_tampering(our_side, protocol):
    def check():
        with Pair(our_side, protocol) as pair:
            wrapped = pair.establish().theirs.wrap_winrm(b"transfer 100")
            changed = bytes([wrapped.data[0] ^ 1]) + wrapped.data[1:]
            refused(lambda: pair.peer.unwrap(wrapped.header, changed), Refused)
        with Pair(our_side, protocol) as pair:
            wrapped = pair.establish().theirs.wrap_winrm(b"transfer 100")
            header = wrapped.header[:4] + bytes([wrapped.header[4] ^ 1]) + wrapped.header[5:]
            refused(lambda: pair.peer.unwrap(header, wrapped.data), Refused)
        with Pair(our_side, protocol) as pair:
            wrapped = pair.establish().theirs.wrap_winrm(b"transfer 100")
            pair.peer.unwrap(wrapped.header, wrapped.data)
            refused(lambda: pair.peer.unwrap(wrapped.header, wrapped.data), Refused)
        with Pair(our_side, protocol) as pair:
            header, sealed = pair.establish().peer.wrap(b"transfer 100")
            changed = bytes([sealed[0] ^ 1]) + sealed[1:]
            refused(lambda: pair.theirs.unwrap_winrm(header, changed), spnego.exceptions.SpnegoError)

    return check


def with_changed_mic(token):
    """The token with one bit of its mechListMIC changed, or None where there is none."""
    decoded = unpack_token(token)
    mic = getattr(decoded, "mech_list_mic", None)
    if not mic:
        return None
    at = token.rindex(mic) + 5
    return token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]


def without_mic(token):
    decoded = unpack_token(token)
    if not getattr(decoded, "mech_list_mic", None):
        return None
    return NegTokenResp(decoded.neg_state, decoded.supported_mech, decoded.response_token, None).pack()


def refuses_mic(our_side, change):
    """The other side's tokens pass through `change`; its mechListMIC, once damaged, must end it."""

    def check():
        with Pair(our_side, "negotiate") as pair:
            changed = False
            turn = pair.peer if pair.we_start else pair.theirs
            token = turn.step(None)
            try:
                while token is not None:
                    to_us = turn is pair.theirs
                    if to_us and (damaged := change(token)) is not None:
                        token, changed = damaged, True
                    turn = pair.peer if to_us else pair.theirs
                    token = turn.step(token)
            except (Refused, spnego.exceptions.SpnegoError):
                pass
            assert changed, "no mechListMIC came by"
            assert not pair.peer.established, "our side is established"

    return check


def mics_only_for_ntlm_mics(check):
    """pyspnego asks NTLM for a MIC whenever SPNEGO is used, and its acceptor would rather have Kerberos and so sends
    request-mic. Here it speaks NTLM only, and goes by the MIC of the AUTHENTICATE message as other peers do."""

    def patched():
        requires, preferred = NTLMProxy._requires_mech_list_mic, NegotiateProxy._preferred_mech_list
        NTLMProxy._requires_mech_list_mic = property(lambda self: self._complete and self._mic_required)
        NegotiateProxy._preferred_mech_list = lambda self: [GSSMech.ntlm]
        try:
            check()
        finally:
            NTLMProxy._requires_mech_list_mic, NegotiateProxy._preferred_mech_list = requires, preferred

    return patched


def without_timestamp(check):
    """pyspnego's acceptor as one from before MsvAvTimestamp."""

    def patched():
        original = TargetInfo.pack

        def pack(self):
            bare = TargetInfo({key: value for key, value in self.items() if key != AvId.timestamp})
            return original(bare)

        TargetInfo.pack = pack
        try:
            check()
        finally:
            TargetInfo.pack = original

    return patched


def authenticate_has_mic(pair):
    inner = unpack_token(pair.tokens[2])
    inner = getattr(inner, "response_token", None) or pair.tokens[2]
    response = Authenticate.unpack(inner).nt_challenge_response
    pairs = NTClientChallengeV2.unpack(response[16:]).av_pairs
    return bool(pairs.get(AvId.flags, AvFlags.none) & AvFlags.mic)


def ntlm_mic_follows_the_timestamp(arguments, expected):
    def check():
        with Pair("acceptor", "ntlm", arguments=arguments) as pair:
            pair.establish()
            assert authenticate_has_mic(pair) == expected, f"the AUTHENTICATE's MIC is not {expected}"

    return check


def main():
    checks = Checks("pyspnego")
    for our_side in ["initiator", "acceptor"]:
        checks.run(f"{our_side}, bare NTLM, sealed both ways", talks(our_side, "ntlm", mics=0))
        checks.run(f"{our_side}, SPNEGO with mechListMIC, sealed both ways", talks(our_side, "negotiate", mics=2))
        for protocol in ["ntlm", "negotiate"]:
            checks.run(f"{our_side}, {protocol}: wrong password", refuses_wrong_password(our_side, protocol))
            checks.run(f"{our_side}, {protocol}: changed and repeated messages", refuses_tampering(our_side, protocol))
        checks.run(f"{our_side}: changed mechListMIC", refuses_mic(our_side, with_changed_mic))
        checks.run(f"{our_side}: missing mechListMIC", refuses_mic(our_side, without_mic))
    checks.run("acceptor: MIC of NTLM after a timestamp", ntlm_mic_follows_the_timestamp([], True))
    old = ["--no-timestamp"]
    checks.run("acceptor without timestamp: no MIC of NTLM", ntlm_mic_follows_the_timestamp(old, False))
    checks.run(
        "acceptor without timestamp, SPNEGO without mechListMIC",
        mics_only_for_ntlm_mics(talks("acceptor", "negotiate", mics=0, arguments=old)),
    )
    checks.run(
        "initiator to an acceptor without timestamp, SPNEGO without mechListMIC",
        mics_only_for_ntlm_mics(without_timestamp(talks("initiator", "negotiate", mics=0))),
    )
    checks.run(
        "initiator to an acceptor without timestamp that asks for mechListMIC all the same",
        without_timestamp(talks("initiator", "negotiate", mics=2)),
    )
    checks.finish()


if __name__ == "__main__":
    main()
