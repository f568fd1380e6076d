#!/usr/bin/perl
# A message from outside, as FreeSWITCH's page on mod_sms shows it: HOST PORT PASSWORD RECIPIENT.
require ESL;

my ($host, $port, $password, $recipient) = @ARGV;
my $con = new ESL::ESLconnection($host, $port, $password);
my $event = new ESL::ESLevent("CUSTOM", "SMS::SEND_MESSAGE");
$event->addHeader("proto", "sip");
$event->addHeader("dest_proto", "sip");
$event->addHeader("from", "1004\@127.0.0.1");
$event->addHeader("from_full", "sip:1004\@127.0.0.1");
$event->addHeader("to", $recipient);
$event->addHeader("subject", "sip:$recipient");
$event->addHeader("type", "text/plain");
$event->addHeader("hint", "the hint");
$event->addHeader("replying", "true");
$event->addHeader("sip_profile", "internal");
$event->addBody("Hello from Perl");
$con->sendEvent($event);
