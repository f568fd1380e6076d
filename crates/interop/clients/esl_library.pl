# ESL.pm as a script uses it: HOST PORT PASSWORD FORMAT RECIPIENT; a line for each thing that went well.
use strict;
use warnings;

require ESL;

$| = 1;
my ($host, $port, $password, $form, $recipient) = @ARGV;
my $con = new ESL::ESLconnection($host, $port, $password);
die "not connected" unless $con->connected() == 1;
$con->events($form, "MESSAGE BACKGROUND_JOB CUSTOM SMS::DELIVERY_REPORT");
print "subscribed\n";

# The next event of that name with that header; others go by.
sub wait_for {
    my ($name, $header, $value) = @_;
    for (;;) {
        my $event = $con->recvEventTimed(10000) // die "no $name";
        return $event if $event->getType() eq $name && ($event->getHeader($header) // "") eq $value;
    }
}

my $event = wait_for("MESSAGE", "from_user", "1004");
print "MESSAGE ", $event->getHeader("from_user"), " ", $event->getBody(), "\n";
print "API ", $con->api("echo", "one two")->getBody(), "\n";
my $job = $con->bgapi("echo", "three", "job-1");
die $job->serialize() unless $job->getHeader("Job-UUID") eq "job-1";
$event = wait_for("BACKGROUND_JOB", "Job-UUID", "job-1");
print "JOB ", $event->getHeader("Job-UUID"), " ", $event->getBody(), "\n";

my $send = new ESL::ESLevent("CUSTOM", "SMS::SEND_MESSAGE");
$send->addHeader("dest_proto", "sip");
$send->addHeader("from", "server\@127.0.0.1");
$send->addHeader("to", $recipient);
$send->addHeader("type", "text/plain");
$send->addHeader("blocking", "true");
$send->addBody("žluťoučký\n\nkůň");
print "SENT ", substr($con->sendEvent($send)->getHeader("Reply-Text"), 0, 3), "\n";
$event = wait_for("CUSTOM", "from", "server\@127.0.0.1");
print "REPORT ", $event->getHeader("Status"), "\n";
die "an event too many" if defined $con->recvEventTimed(1) || !$con->connected();
$con->send("exit");
do { $event = $con->recvEvent() } until $event->getType() eq "SERVER_DISCONNECTED";
print "END ", $con->connected(), "\n";
