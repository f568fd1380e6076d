# Runs Perl scripts for the server. The server starts this program with a socket as file 3, which is open as WIRE, and
# hands it over there; `take` and `text`, which read from the socket, are defined by whoever read it.

package Chappe;

use strict;
use warnings;
use Fcntl qw(F_GETFD F_SETFD FD_CLOEXEC);
use Scalar::Util qw(blessed);

# No frame is longer; the server would end the worker.
use constant MOST => 16 << 20;

our ($run, $running, $process, $unsent, $released) = (0, 1, $$, '', '');

# What `exit` throws in a script.
our $EXIT = bless {}, 'Chappe::Exit';

BEGIN {
    no warnings 'once';
    *CORE::GLOBAL::exit = sub (;$) { die $Chappe::EXIT if $Chappe::in_script; CORE::exit($_[0] // 0) };
}
our $in_script;

sub call {
    put('C', @_);
    flush();
    return answer();
}

sub post { put('P', @_); return }

sub content {
    put('G', @_);
    flush();
    return answer();
}

# Called in the middle of anything: it is sent with what comes next.
sub release {
    my ($thing) = @_;
    $released .= framed('Z' . encode($thing)) if $thing->{run} == $run;
    return;
}

sub alive {
    my ($thing) = @_;
    die "the object is gone\n" if $thing->{run} != $run;
    return;
}

sub answer {
    my ($kind, @values) = receive();
    # The place in the script is what its author looks for.
    if ($kind eq 'X') { my ($file, $line) = place(); die "$values[0] at $file line $line.\n" }
    return @values > 1 ? @values : $values[0];
}

sub place {
    for (my $depth = 1; my ($package, $file, $line) = caller($depth); $depth++) {
        return ($file, $line) if $package !~ /^(?:Chappe|freeswitch)\b/;
    }
    return ('a script', 0);
}

sub put {
    my ($kind, @values) = @_;
    die "no script is running\n" unless $running;
    die "a forked process has no server\n" if $$ != $process;
    $unsent .= framed(join '', $kind, map { encode($_) } @values);
    flush() if length $unsent > 1 << 15;
    return;
}

sub framed {
    my ($frame) = @_;
    die length($frame) . " octets are too much for the server\n" if length $frame > MOST;
    return pack 'N/a*', $frame;
}

sub flush {
    my $octets = $unsent . $released;
    ($unsent, $released) = ('', '');
    my $at = 0;
    while ($at < length $octets) {
        $at += syswrite(WIRE, $octets, length($octets) - $at, $at) // CORE::exit(1);
    }
    return;
}

sub encode {
    my ($value) = @_;
    return 'N' unless defined $value;
    my $kind = ref $value;
    if (!$kind) {
        # Octets are sent as they are, characters as UTF-8.
        utf8::encode($value) if utf8::is_utf8($value);
        return pack 'aN/a*', 'S', $value;
    }
    return 'C' if $kind eq 'CODE';
    return pack('aN', 'L', scalar @$value) . join '', map { encode($_) } @$value if $kind eq 'ARRAY';
    if (blessed $value && $value->isa('freeswitch::Object')) {
        alive($value);
        return pack 'aN/a*N', 'O', $value->_class, $value->{id};
    }
    die "the server has no use for a $kind\n";
}

# A value of the frame, which is cut by it.
sub decode {
    my $kind = substr $_[0], 0, 1, '';
    return undef if $kind eq 'N';
    return 1 if $kind eq 'T';
    return '' if $kind eq 'F';
    return unpack 'q>', substr $_[0], 0, 8, '' if $kind eq 'I';
    return unpack 'd>', substr $_[0], 0, 8, '' if $kind eq 'D';
    return octets($_[0]) if $kind eq 'S';
    if ($kind eq 'O') {
        my $class = octets($_[0]);
        my $id = unpack 'N', substr $_[0], 0, 4, '';
        return bless { id => $id, run => $run, made => $class ne 'API' }, "freeswitch::$class";
    }
    my $count = unpack 'N', substr $_[0], 0, 4, '';
    return [map { decode($_[0]) } 1 .. $count] if $kind ne 'R';
    my %record;
    for (1 .. $count) { my $name = octets($_[0]); $record{$name} = decode($_[0]) }
    return \%record;
}

sub octets {
    my $length = unpack 'N', substr $_[0], 0, 4, '';
    return substr $_[0], 0, $length, '';
}

sub receive {
    my $frame = take(unpack 'N', take(4));
    my $kind = substr $frame, 0, 1, '';
    my @values;
    push @values, decode($frame) while length $frame;
    return ($kind, @values);
}

sub given {
    my ($class, $id, $content) = @_;
    return bless { id => $id, run => $run, made => 0, content => $content }, "freeswitch::$class";
}

# FreeSWITCH gives each run an interpreter of its own: what a script leaves in `main` is not there for the next one.
# Modules stay.
sub run_script {
    my ($kind, $message, $env, $event, $script, @arguments) = @_;
    my %before = map { $_ => 1 } keys %main::;
    {
        no warnings 'once';
        $main::message = given('Event', 0, $message) if $message;
        $main::stream = given('Stream', 0) if $kind eq 'api';
        $main::env = given('Event', 1, $env) if $env;
        $main::event = given('Event', 2, $event) if $event;
    }
    local @ARGV = defined $script ? @arguments : ();
    my $fine = do {
        local $in_script = 1;
        defined $script ? load($script) : evaluate($arguments[0]);
    };
    my $error = $@;
    undef $main::message;
    undef $main::stream;
    undef $main::env;
    undef $main::event;
    delete @main::{grep { !$before{$_} && !/::$/ } keys %main::};
    return if $fine || (ref $error && ref $error eq 'Chappe::Exit');
    return "$error";
}

# The file is read anew each time.
sub load {
    my ($script) = @_;
    my $path = $script =~ m{^/} ? $script : "$Chappe::folder/$script";
    my $fine = eval { open my $file, '<', $path or die "Cannot open script $path: $!\n"; 1 };
    return $fine && eval { package main; do $path; die $@ if $@; 1 };
}

sub evaluate {
    my ($code) = @_;
    return eval "package main; no strict; no warnings; $code; 1";
}

sub end {
    my ($kind, @values) = @_;
    put($kind, @values);
    flush();
    $running = 0;
    return;
}

my $program = text();
if ($] < 5.016) {
    end('U', "it is Perl $], and 5.16 is the oldest that will do");
    CORE::exit(0);
}
eval qq{#line 1 "<chappe freeswitch.pm>"\n$program} or die $@;
text();
fcntl(WIRE, F_SETFD, fcntl(WIRE, F_GETFD, 0) | FD_CLOEXEC) or die $!;
our ($folder) = reverse split /:/, $ENV{PERL5LIB} // '';
$| = 1;
$0 = 'chappe perl';
end('H', sprintf 'Perl %vd', $^V);

while (1) {
    my ($kind, @order) = receive();
    $run++;
    ($running, $released) = (1, '');
    my $error = run_script(@order);
    CORE::exit(1) if $$ != $process;
    if (defined $error) {
        $error = substr($error, 0, 1 << 18);
        $error =~ s/\n\z//;
        end('E', $error);
    }
    else {
        end('D');
    }
}
