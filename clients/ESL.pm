package ESL;

# FreeSWITCH's ESL library for Perl 5, in Perl alone: no compiler, core modules only.
#
# Put this file beside your script (`use lib '.'`) or its folder into PERL5LIB. It speaks to every event socket: chappe's,
# and a FreeSWITCH's. Texts are octets, as the original's. One thing differs from it: sendEvent gives the server's reply,
# with the event's identifier in Reply-Text, where the original gives whatever came last.
#
#     require ESL;
#     my $con = ESL::ESLconnection->new("127.0.0.1", "8021", "ClueCon");
#     $con->events("plain", "MESSAGE");
#     my $event = $con->recvEvent();
#     print $event->getHeader("from"), $event->getBody();

use strict;
use warnings;

our $VERSION = '1.0';

# From level 7 on what is sent and received goes to standard error.
my $log_level = 0;

sub eslSetLogLevel {
    my ($level) = @_;
    $log_level = $level + 0;
    return;
}

sub _log {
    my ($what, $text) = @_;
    print STDERR "[ESL] $what\n$text\n" if $log_level >= 7;
    return;
}

# A script's text as octets.
sub _octets {
    my ($text) = @_;
    utf8::encode($text) if utf8::is_utf8($text);
    return $text;
}

# Header values go over the wire as they are: a line break would begin another header.
sub _one_line {
    my ($text) = @_;
    $text =~ tr/\r\n/  /;
    return $text;
}

sub _encode {
    my ($text) = @_;
    $text =~ s/([^!\$'()*,\-.\/0-9A-Z_a-z~])/sprintf('%%%02X', ord $1)/ge;
    return $text;
}

sub _decode {
    my ($text) = @_;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}

sub _is_true {
    my ($text) = @_;
    return $text =~ /\A(?:yes|on|true|t|enabled|active|allow|0*[1-9][0-9]*)\z/i ? 1 : 0;
}

package ESL::ESLevent;

use strict;
use warnings;

use JSON::PP ();

my $JSON = JSON::PP->new->utf8->canonical(0)->allow_nonref;

my %NAMES = map { $_ => 1 } qw(
    CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP
    CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE
    CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK
    CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH
    UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT
    PRESENCE_PROBE MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE
    PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY PHONE_FEATURE
    PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT
    CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT
    RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START
    MEDIA_BUG_STOP CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE
    TEXT SHUTDOWN_REQUESTED ALL
);

my %PRIORITIES = (0 => 'NORMAL', 1 => 'LOW', 2 => 'HIGH');

# An event: headers in order ([name, value, values of an array]), and a body.
sub new {
    my ($class, $type, $subclass) = @_;
    my $self = bless { headers => [], body => undef, at => 0 }, $class;
    $subclass = ESL::_octets($subclass // '');
    if (lc $type eq 'json' && $subclass ne '') {
        $self->{type} = 'CLONE';
        $self->_read_json($subclass);
        return $self;
    }
    $self->{type} = $NAMES{uc $type} ? uc $type : 'MESSAGE';
    $self->{type} = 'CUSTOM' if $subclass ne '';
    $self->_add('Event-Name', $self->{type}) if $self->{type} ne 'CLONE';
    $self->_add('Event-Subclass', $subclass) if $subclass ne '';
    return $self;
}

sub _add {
    my ($self, $name, $value) = @_;
    my @values = $value =~ /\AARRAY::(.*)\z/s ? [split /\|:/, $1, -1] : ();
    push @{ $self->{headers} }, [$name, $value, @values];
    return;
}

sub _find {
    my ($self, $name) = @_;
    my $wanted = lc $name;
    for my $header (@{ $self->{headers} }) {
        return $header if lc $header->[0] eq $wanted;
    }
    return;
}

sub _read_json {
    my ($self, $text) = @_;
    my $members = eval { $JSON->decode($text) };
    return unless ref $members eq 'HASH';
    # The order of a JSON object's members is not kept, so that of their names in the text is taken.
    my %at = map { $_ => _place($text, $_) } keys %$members;
    for my $name (sort { $at{$a} <=> $at{$b} } keys %$members) {
        my $value = $members->{$name};
        my $shown = ref $value eq 'ARRAY' ? 'ARRAY::' . join('|:', map { _plain_value($_) } @$value) : _plain_value($value);
        if ($name eq '_body') { $self->{body} = $shown }
        else                  { $self->_add(ESL::_octets($name), $shown) }
    }
    my $named = $self->_find('Event-Name');
    $self->{type} = $named->[1] if $named;
    return;
}

sub _place {
    my ($text, $name) = @_;
    return index $text, $JSON->encode($name) . ':' if index($text, $JSON->encode($name) . ':') >= 0;
    return index $text, $JSON->encode($name);
}

sub _plain_value {
    my ($value) = @_;
    return ''                    unless defined $value;
    return $JSON->encode($value) if ref $value;
    return ESL::_octets("$value");
}

# The event as text: plain (the default), json or xml.
sub serialize {
    my ($self, $format) = @_;
    my $kind = lc($format // '');
    return $self->_json() if $kind eq 'json';
    return $self->_xml()  if $kind eq 'xml';
    return $self->_plain(\&ESL::_encode);
}

sub _plain {
    my ($self, $written) = @_;
    my $text = '';
    for my $header (@{ $self->{headers} }) {
        # Its own length is told below.
        next if defined $self->{body} && lc $header->[0] eq 'content-length';
        $text .= ESL::_one_line($header->[0]) . ': ' . $written->($header->[1]) . "\n";
    }
    return "$text\n" unless defined $self->{body};
    return $text . 'Content-Length: ' . length($self->{body}) . "\n\n" . $self->{body};
}

sub _json {
    my ($self) = @_;
    my @members = map { [$_->[0], $_->[2] // $_->[1]] } @{ $self->{headers} };
    if (defined $self->{body}) {
        @members = grep { lc $_->[0] ne 'content-length' } @members;
        push @members, ['Content-Length', length($self->{body}) . ''], ['_body', $self->{body}];
    }
    my $written = sub {
        my ($value) = @_;
        return '[' . join(',', map { _string($_) } @$value) . ']' if ref $value;
        return _string($value);
    };
    return '{' . join(',', map { _string($_->[0]) . ':' . $written->($_->[1]) } @members) . '}';
}

# JSON::PP counts in letters.
sub _string {
    my ($octets) = @_;
    my $text = $octets;
    utf8::decode($text);
    return $JSON->encode("$text");
}

sub _xml {
    my ($self) = @_;
    my $escaped = sub { my ($text) = @_; $text =~ s/&/&amp;/g; $text =~ s/</&lt;/g; $text =~ s/>/&gt;/g; $text };
    my $text = "<event>\n  <headers>\n";
    $text .= "    <$_->[0]>" . $escaped->(ESL::_encode($_->[1])) . "</$_->[0]>\n" for @{ $self->{headers} };
    $text .= "  </headers>\n";
    if (defined $self->{body}) {
        my $length = length $self->{body};
        $text .= "  <Content-Length>$length</Content-Length>\n  <body>" . $escaped->($self->{body}) . "</body>\n";
    }
    return "$text</event>\n";
}

# NORMAL (0), LOW (1) or HIGH (2).
sub setPriority {
    my ($self, $priority) = @_;
    $priority //= 0;
    my $name = $PRIORITIES{$priority} // ($priority =~ /\A[A-Z]+\z/ ? $priority : 'NORMAL');
    $self->delHeader('priority');
    $self->_add('priority', $name);
    return 1;
}

# A header's value, or undef; of an array the value at $idx. _body is the body.
sub getHeader {
    my ($self, $name, $idx) = @_;
    my $header = $self->_find($name);
    return $name eq '_body' ? $self->{body} : undef unless $header;
    return $header->[1] if !defined $idx || $idx < 0;
    return $header->[2] ? $header->[2][$idx] : undef;
}

sub getBody { return $_[0]{body} }
sub getType { return $_[0]{type} }

sub addBody {
    my ($self, $value) = @_;
    $self->{body} = ESL::_octets($value // '');
    return 1;
}

sub addHeader {
    my ($self, $name, $value) = @_;
    return 0 unless defined $name && defined $value;
    $self->_add(ESL::_octets($name), ESL::_octets($value));
    return 1;
}

sub pushHeader    { my ($self, @header) = @_; return $self->_put(@header, 0) }
sub unshiftHeader { my ($self, @header) = @_; return $self->_put(@header, 1) }

# From here on the header is an array.
sub _put {
    my ($self, $name, $value, $first) = @_;
    my $header = $self->_find($name) or return $self->addHeader($name, $value);
    my @values = $header->[2] ? @{ $header->[2] } : ($header->[1]);
    if   ($first) { unshift @values, ESL::_octets($value) }
    else          { push @values, ESL::_octets($value) }
    @$header = ($header->[0], 'ARRAY::' . join('|:', @values), \@values);
    return 1;
}

sub delHeader {
    my ($self, $name) = @_;
    my $before = @{ $self->{headers} };
    $self->{headers} = [grep { lc $_->[0] ne lc $name } @{ $self->{headers} }];
    return @{ $self->{headers} } < $before ? 1 : 0;
}

# The name of the first header, or undef.
sub firstHeader {
    my ($self) = @_;
    $self->{at} = 0;
    return $self->nextHeader();
}

sub nextHeader {
    my ($self) = @_;
    my $header = $self->{headers}[$self->{at}] or return;
    $self->{at}++;
    return $header->[0];
}

package ESL::ESLconnection;

use strict;
use warnings;

use IO::Handle;
use IO::Select;
use IO::Socket::IP;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

# How long a head and a body may be; a server that sends more is not one.
my $MAX_HEAD = 1 << 20;
my $MAX_BODY = 1 << 28;

# A connection to an event socket: new(host, port, password), new(host, port, user, password), or new(fd) for a socket
# that a server connected to us (outbound). What fails leaves a connection that is not connected(); nothing dies.
sub new {
    my ($class, @args) = @_;
    my $self = bless { socket => undef, pending => '', race => [], async => 0, lock => 0 }, $class;
    eval {
        local $SIG{__DIE__};
        if    (@args == 1) { $self->_attach($args[0]) }
        elsif (@args == 3) { $self->_connect($args[0], $args[1], undef, $args[2]) }
        else               { $self->_connect(@args) }
        1;
    } or do {
        ESL::_log('ERROR', $@);
        $self->_close();
    };
    return $self;
}

sub _connect {
    my ($self, $host, $port, $user, $password) = @_;
    $self->{socket} = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Type => Socket::SOCK_STREAM())
        or die "connect: $@\n";
    setsockopt $self->{socket}, IPPROTO_TCP, TCP_NODELAY, 1;
    my $greeting = $self->_read();
    die "it is no event socket\n" unless lc($greeting->getHeader('Content-Type') // '') eq 'auth/request';
    my $said = defined $user && $user ne '' ? "userauth $user:$password" : "auth $password";
    $self->_write(ESL::_one_line($said));
    die "wrong password\n" unless ($self->_read()->getHeader('Reply-Text') // '') =~ /\A\+OK/;
    return;
}

sub _attach {
    my ($self, $fd) = @_;
    # The script keeps its own, which may be closed at any time.
    my $number = ref $fd ? fileno $fd : $fd;
    open my $socket, '+<&', $number or die "socket $number: $!\n";
    binmode $socket;
    $self->{socket} = $socket;
    $self->{info} = $self->sendRecv('connect') or die "no answer to connect\n";
    return;
}

sub _close {
    my ($self) = @_;
    close $self->{socket} if $self->{socket};
    $self->{socket} = undef;
    return;
}

sub socketDescriptor { my ($self) = @_; return $self->{socket} ? fileno $self->{socket} : -1 }
sub connected        { my ($self) = @_; return $self->{socket} ? 1                      : 0 }

# The event that the server greeted an outbound connection with, or undef.
sub getInfo { my ($self) = @_; return $self->{socket} ? $self->{info} : undef }

# Runs a piece of work; what it gives, or undef when the connection broke.
sub _try {
    my ($self, $work) = @_;
    my $result = eval { local $SIG{__DIE__}; local $SIG{PIPE} = 'IGNORE'; $work->() };
    if ($@) {
        ESL::_log('ERROR', $@);
        $self->_close();
        return;
    }
    return $result;
}

# Sends a command and waits for nothing; 0 when it went out.
sub send {
    my ($self, $cmd) = @_;
    return defined $self->_try(sub { $self->_write($cmd); 1 }) ? 0 : -1;
}

# Sends a command; its reply, or undef when the connection is gone.
sub sendRecv {
    my ($self, $cmd) = @_;
    return $self->_try(sub { $self->_write($cmd); $self->_reply() });
}

sub _reply {
    my ($self) = @_;
    for (;;) {
        my $event = $self->_read();
        my $kind = lc($event->getHeader('Content-Type') // '');
        return $event if $kind eq 'api/response' || $kind eq 'command/reply' || $kind eq '';
        push @{ $self->{race} }, $event;
    }
}

sub api {
    my ($self, $cmd, $arg) = @_;
    return $self->sendRecv("api $cmd " . ($arg // ''));
}

sub bgapi {
    my ($self, $cmd, $arg, $job_uuid) = @_;
    my $line = "bgapi $cmd" . (defined $arg && $arg ne '' ? " $arg" : '');
    $line .= "\nJob-UUID: " . ESL::_one_line($job_uuid) if defined $job_uuid && $job_uuid ne '';
    return $self->sendRecv($line);
}

# Fires an event on the server. The reply, or an event SERVER_DISCONNECTED.
sub sendEvent {
    my ($self, $event) = @_;
    my $reply = $self->sendRecv('sendevent ' . $event->getType() . "\n" . $event->_plain(\&ESL::_one_line));
    return $reply // ESL::ESLevent->new('SERVER_DISCONNECTED');
}

# Sends an order to a session; 0 when there was a reply.
sub sendMSG {
    my ($self, $event, $uuid) = @_;
    my $head = defined $uuid && $uuid ne '' ? "sendmsg $uuid" : 'sendmsg';
    return $self->sendRecv("$head\n" . $event->_plain(\&ESL::_one_line)) ? 0 : 1;
}

sub execute      { my ($self, $app, $arg, $uuid) = @_; return $self->_execute($app, $arg, $uuid, $self->{async}) }
sub executeAsync { my ($self, $app, $arg, $uuid) = @_; return $self->_execute($app, $arg, $uuid, 1) }

sub _execute {
    my ($self, $app, $arg, $uuid, $async) = @_;
    my @lines = (defined $uuid && $uuid ne '' ? "sendmsg $uuid" : 'sendmsg', 'call-command: execute');
    push @lines, 'execute-app-name: ' . ESL::_one_line($app);
    push @lines, 'execute-app-arg: ' . ESL::_one_line($arg) if defined $arg && $arg ne '';
    push @lines, 'event-lock: true' if $self->{lock};
    push @lines, 'async: true'      if $async;
    return $self->sendRecv(join "\n", @lines);
}

sub setAsyncExecute {
    my ($self, $value) = @_;
    $self->{async} = ESL::_is_true($value) if defined $value;
    return $self->{async};
}

sub setEventLock {
    my ($self, $value) = @_;
    $self->{lock} = ESL::_is_true($value) if defined $value;
    return $self->{lock};
}

sub filter {
    my ($self, $header, $value) = @_;
    return $self->sendRecv("filter $header $value");
}

# Subscribes: plain, json or xml, and the names of events. 0 when there was a reply.
sub events {
    my ($self, $etype, $value) = @_;
    my $kind = $etype eq 'json' || $etype eq 'xml' ? $etype : 'plain';
    return $self->sendRecv("event $kind $value") ? 0 : -1;
}

# The next event or log line; waits. An event SERVER_DISCONNECTED when the connection is gone.
sub recvEvent {
    my ($self) = @_;
    return $self->_receive(undef) // ESL::ESLevent->new('SERVER_DISCONNECTED');
}

# As recvEvent, but undef when nothing came within $ms milliseconds, or the connection is gone.
sub recvEventTimed {
    my ($self, $ms) = @_;
    return $self->_receive($ms > 0 ? time() + $ms / 1000 : undef);
}

sub _receive {
    my ($self, $deadline) = @_;
    return $self->_try(sub {
        my $event = @{ $self->{race} } ? shift @{ $self->{race} } : $self->_read($deadline);
        return defined $event ? _inner($event) : undef;
    });
}

sub disconnect { my ($self) = @_; $self->_close(); return 0 }

sub _write {
    my ($self, $cmd) = @_;
    die "not connected\n" unless $self->{socket};
    ESL::_log('SEND', $cmd);
    # A body may end as it likes, and blank lines after a command mean nothing.
    my $octets = ESL::_octets($cmd);
    $octets .= "\n\n" unless $octets =~ /\n\n\z/;
    while (length $octets) {
        my $count = syswrite $self->{socket}, $octets;
        next if !defined $count && $!{EINTR};
        die "write: $!\n" unless defined $count;
        substr $octets, 0, $count, '';
    }
    return;
}

# The next frame; undef when the time is over, and what came of it so far is kept.
sub _read {
    my ($self, $deadline) = @_;
    die "not connected\n" unless $self->{socket};
    for (;;) {
        if (my $frame = $self->_take()) {
            ESL::_log('RECV', $frame->serialize());
            _heed($frame);
            return $frame;
        }
        if (defined $deadline) {
            my $left = $deadline - time();
            return if $left <= 0 || !IO::Select->new($self->{socket})->can_read($left);
        }
        my $count = sysread $self->{socket}, $self->{pending}, 65536, length $self->{pending};
        next if !defined $count && $!{EINTR};
        die "the server closed the connection\n" unless $count;
    }
}

sub _take {
    my ($self) = @_;
    $self->{pending} =~ s/\A[\r\n]+//;
    my $end = index $self->{pending}, "\n\n";
    if ($end < 0) {
        die "a head without end\n" if length $self->{pending} > $MAX_HEAD;
        return;
    }
    my $event = ESL::ESLevent->new('SOCKET_DATA');
    _read_headers($event, substr $self->{pending}, 0, $end);
    my $length = $event->getHeader('Content-Length') // 0;
    $length = $length =~ /\A[0-9]+\z/ ? $length : 0;
    die "a body of $length octets\n" if $length > $MAX_BODY;
    return if length $self->{pending} < $end + 2 + $length;
    $event->{body} = substr $self->{pending}, $end + 2, $length if $length > 0;
    substr $self->{pending}, 0, $end + 2 + $length, '';
    return $event;
}

sub _read_headers {
    my ($event, $head) = @_;
    for my $line (split /\n/, $head) {
        my ($name, $value) = $line =~ /\A([^:]*):[ \t]*(.*?)\r?\z/s or next;
        $event->_add($name, ESL::_decode($value));
    }
    return;
}

sub _heed {
    my ($frame) = @_;
    my $kind = lc($frame->getHeader('Content-Type') // '');
    my $lingers = lc($frame->getHeader('Content-Disposition') // '') eq 'linger';
    die "the server says good-bye\n" if $kind eq 'text/disconnect-notice' && defined $frame->{body} && !$lingers;
    return;
}

# The event in a frame; a frame that holds none as it is.
sub _inner {
    my ($frame) = @_;
    my $kind = lc($frame->getHeader('Content-Type') // '');
    return $frame unless defined $frame->{body};
    return ESL::ESLevent->new('json', $frame->{body}) if $kind eq 'text/event-json';
    return $frame unless $kind eq 'text/event-plain';
    my $event = ESL::ESLevent->new('CLONE');
    my ($head, $body) = split /\n\n/, $frame->{body}, 2;
    _read_headers($event, $head);
    my $named = $event->_find('Event-Name');
    $event->{type} = $named->[1] if $named;
    $event->{body} = $body if defined $body && $event->_find('Content-Length');
    return $event;
}

1;
