# ESL.pm against a server that says what the test wrote down.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/..";

use IO::Socket::IP;
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Test::More;

require ESL;

my $GREETING = "Content-Type: auth/request\n\n";
my $ACCEPTED = "Content-Type: command/reply\nReply-Text: +OK accepted\n\n";

sub frame {
    my ($kind, $body, $more) = @_;
    return "Content-Length: " . length($body) . "\nContent-Type: $kind\n" . ($more // '') . "\n$body";
}

# Plays a script in a process of its own: texts are said, undef waits for a command. Gives the port and where what was heard
# can be read once the script is over.
sub server {
    my (@script) = @_;
    my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => 0, Listen => 1) or die $@;
    pipe my $heard, my $tell or die $!;
    my $pid = fork() // die $!;
    if (!$pid) {
        close $heard;
        my $connection = $listener->accept();
        for my $step (@script) {
            if (defined $step) { print {$connection} $step; $connection->flush() }
            else               { print {$tell} command($connection), "\0" }
        }
        close $tell;
        close $connection;
        # No destructor of the test's runs twice.
        require POSIX;
        POSIX::_exit(0);
    }
    close $tell;
    my $port = $listener->sockport();
    close $listener;
    return ($port, sub { local $/; my $all = <$heard>; waitpid $pid, 0; return [split /\0/, $all // ''] });
}

sub command {
    my ($connection) = @_;
    my $text = '';
    while ($text !~ /\n\n\z/) { sysread($connection, $text, 4096, length $text) or last }
    return $text;
}

sub connection {
    my (@script) = @_;
    my ($port, $end) = server($GREETING, undef, $ACCEPTED, @script);
    return (ESL::ESLconnection->new('127.0.0.1', $port, 'ClueCon'), $end);
}

{
    my ($con, $end) = connection();
    is $con->connected(), 1, 'let in';
    is_deeply $end->(), ["auth ClueCon\n\n"];
    my ($port, $over) = server($GREETING, undef, $ACCEPTED);
    is(ESL::ESLconnection->new('127.0.0.1', $port, 'u@d', 'pw')->connected(), 1, 'a user is let in');
    is_deeply $over->(), ["userauth u\@d:pw\n\n"];
}

for my $greeting (
    [$GREETING, undef, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n"],
    ["Content-Type: text/rude-rejection\nContent-Length: 5\n\nAway\n"],
    ["HTTP/1.1 400 Bad Request\n\n"],
    ['half of a fra'],
) {
    my ($port, $end) = server(@$greeting);
    my $con = ESL::ESLconnection->new('127.0.0.1', $port, 'ClueCon');
    is $con->connected(), 0, 'not let in';
    is $con->sendRecv('api status'), undef;
    is $con->recvEventTimed(10), undef;
    is $con->recvEvent()->getType(), 'SERVER_DISCONNECTED';
    is $con->send('x'), -1;
    $end->();
}
is(ESL::ESLconnection->new('127.0.0.1', '1', 'x')->connected(), 0, 'nobody listens');

{
    my $event = "Event-Name: MESSAGE\nto: a%%40b\nnumber: %d\n\n";
    my ($con, $end) = connection(
        frame('text/event-plain', sprintf $event, 1) . frame('log/data', "a line\n", "Log-Level: 7\n"),
        undef,
        frame('text/event-plain', sprintf $event, 2) . frame('api/response', "+OK \xc5\xbe\n"),
    );
    is $con->api('status', 'now')->getBody(), "+OK \xc5\xbe\n", 'an answer';
    my ($one, $line, $two) = ($con->recvEvent(), $con->recvEventTimed(1000), $con->recvEvent());
    is $one->getHeader('number') . $two->getHeader('number'), '12', 'events wait in order';
    is $one->getType() . $one->getHeader('TO'), 'MESSAGEa@b';
    is $line->getBody() . $line->getHeader('Log-Level'), "a line\n7";
    is $con->recvEvent()->getType(), 'SERVER_DISCONNECTED';
    is $end->()->[1], "api status now\n\n";
}

{
    my $plain = "Event-Name: CUSTOM\nlist: ARRAY%3A%3Aone%7C%3Atwo\nContent-Length: 7\n\nx\n\ny\n\nz";
    my $json = "{\"Event-Name\":\"MESSAGE\",\"list\":[\"one\",\"two\"],\"n\":\"\xc5\xbe\",\"_body\":\"\xc3\xa9\"}";
    my ($con, $end) = connection(frame('text/event-plain', $plain) . frame('text/event-json', $json));
    my ($one, $two) = ($con->recvEvent(), $con->recvEvent());
    is $one->getType() . $one->getBody(), "CUSTOMx\n\ny\n\nz", 'a body with blank lines';
    is $two->getType() . $two->getBody() . $two->getHeader('n'), "MESSAGE\xc3\xa9\xc5\xbe", 'octets';
    for my $event ($one, $two) {
        is $event->getHeader('list'), 'ARRAY::one|:two', 'an array';
        is_deeply [map { $event->getHeader('list', $_) } 0 .. 2], ['one', 'two', undef];
    }
    $end->();
}

{
    my $whole = frame('text/event-plain', "Event-Name: MESSAGE\n\n");
    my ($con, $end) = connection(substr($whole, 0, 20), undef, substr $whole, 20);
    is $con->recvEventTimed(50), undef, 'half a frame';
    $con->send('go on');
    is $con->recvEvent()->getType(), 'MESSAGE', 'and its other half';
    $end->();
}

{
    my $notice = sub { frame('text/disconnect-notice', "Disconnected, goodbye.\n", @_) };
    my ($con, $end) = connection($notice->("Content-Disposition: linger\n"), $notice->());
    is $con->recvEvent()->getHeader('Content-Disposition'), 'linger';
    is $con->recvEvent()->getType() . $con->connected(), 'SERVER_DISCONNECTED0', 'good-bye';
    $end->();
    my ($other, $over) = connection("Content-Length: 99999999999\n\n");
    is $other->recvEvent()->getType() . $other->connected(), 'SERVER_DISCONNECTED0', 'a body that is too long';
    $over->();
}

{
    my $reply = "Content-Type: command/reply\nReply-Text: +OK\n\n";
    my ($con, $end) = connection((undef, $reply) x 7);
    $con->events('xml', 'all');
    $con->filter('to', '/x/');
    $con->bgapi('status', '', 'id');
    $con->execute('reply', "hi\nthere", 'uuid');
    $con->setAsyncExecute('1');
    $con->setEventLock('true');
    $con->execute('stop');
    my $event = ESL::ESLevent->new('CUSTOM', 'a::b');
    $event->addHeader('evil', "x\n\napi shutdown");
    $event->addBody("\x{17e}");
    is $con->sendEvent($event)->getHeader('Reply-Text'), '+OK';
    is $con->sendMSG(ESL::ESLevent->new('CLONE'), 'uuid'), 0;
    my $heard = $end->();
    shift @$heard;
    is_deeply $heard, [
        "event xml all\n\n",
        "filter to /x/\n\n",
        "bgapi status\nJob-UUID: id\n\n",
        "sendmsg uuid\ncall-command: execute\nexecute-app-name: reply\nexecute-app-arg: hi there\n\n",
        "sendmsg\ncall-command: execute\nexecute-app-name: stop\nevent-lock: true\nasync: true\n\n",
        "sendevent CUSTOM\nEvent-Name: CUSTOM\nEvent-Subclass: a::b\nevil: x  api shutdown\nContent-Length: 2\n\n\xc5\xbe\n\n",
        "sendmsg uuid\n\n",
    ], 'what is said';
}

{
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die $!;
    syswrite $theirs, "Content-Type: command/reply\nReply-Text: +OK\nUnique-ID: 1\n\n";
    my $con = ESL::ESLconnection->new(fileno $ours);
    sysread $theirs, my $said, 100;
    is $said . $con->getInfo()->getHeader('unique-id'), "connect\n\n1", 'a connection that a server made';
    close $ours;
    is $con->send('exit'), 0;
    sysread $theirs, $said, 100;
    is $said, "exit\n\n";
    $con->disconnect();
    is $con->connected(), 0;
    is sysread($theirs, $said, 100), 0, 'closed';
}

for my $case (
    ['CUSTOM',   'custom',   'a::b'],
    ['CUSTOM',   'MESSAGE',  'a::b'],
    ['MESSAGE',  'nonsense', undef],
    ['NOTIFY',   'notify',   undef],
    ['API',      'json',     '{"Event-Name":"API","a":1}'],
    ['CLONE',    'json',     'no json'],
) {
    my ($kind, @args) = @$case;
    is(ESL::ESLevent->new(@args)->getType(), $kind, "type of @{[map { $_ // 'undef' } @args]}");
}

{
    my $event = ESL::ESLevent->new('NOTIFY');
    $event->addHeader('a', '1');
    $event->addHeader('A', '2');
    $event->pushHeader('list', 'two');
    $event->pushHeader('list', 'three');
    $event->unshiftHeader('list', 'one');
    $event->setPriority(2);
    my @names;
    for (my $name = $event->firstHeader(); defined $name; $name = $event->nextHeader()) { push @names, $name }
    is_deeply \@names, ['Event-Name', 'a', 'A', 'list', 'priority'], 'headers in order';
    is $event->getHeader('list') . $event->getHeader('list', 1), 'ARRAY::one|:two|:threetwo';
    is $event->getHeader('priority'), 'HIGH';
    is $event->getHeader('none') // $event->getBody(), undef;
    is $event->delHeader('a') . $event->delHeader('a'), '10';
    is $event->addHeader('none', undef), 0;
}

{
    my $event = ESL::ESLevent->new('CUSTOM', 'a::b');
    $event->addHeader('to', "\xc5\xbe <a\@b>\n%");
    $event->addBody("\xc3\xa9 & <x>");
    is $event->serialize(),
        "Event-Name: CUSTOM\nEvent-Subclass: a%3A%3Ab\nto: %C5%BE%20%3Ca%40b%3E%0A%25\nContent-Length: 8\n\n\xc3\xa9 & <x>";
    my $again = ESL::ESLevent->new('json', $event->serialize('json'));
    is $again->serialize('json'), $event->serialize('json'), 'json and back';
    is $again->getHeader('to'), "\xc5\xbe <a\@b>\n%";
    like $event->serialize('xml'), qr{<body>\xc3\xa9 &amp; &lt;x&gt;</body>};
}

done_testing();
