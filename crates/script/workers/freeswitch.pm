# What a script can call: FreeSWITCH's module of that name. Each function asks the server, which knows what to do; only
# what a script reads of an event is kept here, until the script changes the event.

use strict;
use warnings;

package freeswitch;

our @EXPORT = ();

# Their answers are not waited for.
for my $name (qw(consoleLog consoleLog2 consoleCleanLog)) {
    no strict 'refs';
    *{$name} = sub { Chappe::post('freeswitch', $name, @_); Chappe::flush(); return };
}
for my $name (qw(getGlobalVariable setGlobalVariable globalSetVariable running msleep email bridge)) {
    no strict 'refs';
    *{$name} = sub { return Chappe::call('freeswitch', $name, @_) };
}
{
    no warnings 'once';
    *console_log = \&consoleLog;
    *console_log2 = \&consoleLog2;
    *console_clean_log = \&consoleCleanLog;
}

# Something that the server keeps for the script, until the run ends.
package freeswitch::Object;

sub new {
    my ($package, @args) = @_;
    my $made = Chappe::call($package->_class, 'new', @args);
    return defined $made ? bless($made, $package) : undef;
}

sub _class { my ($package) = @_; $package = ref $package || $package; return $package =~ s/.*:://r }

sub DESTROY {
    my ($self) = @_;
    Chappe::release($self) if $self->{made};
}

sub _methods {
    my ($package, @names) = @_;
    my $class = $package->_class;
    for my $name (@names) {
        no strict 'refs';
        *{"${package}::$name"} = sub { return Chappe::call($class, $name, @_) };
    }
}

package freeswitch::Event;
our @ISA = ('freeswitch::Object');
__PACKAGE__->_methods(qw(serialize chat_send fire));

for my $name (qw(delHeader addBody setPriority merge chat_execute)) {
    no strict 'refs';
    *{$name} = sub { $_[0]->_changed; return Chappe::call('Event', $name, @_) };
}

sub addHeader {
    my ($self, $name, $value) = @_;
    $self->_changed;
    if (@_ == 3 && defined $name && defined $value && !ref $name && !ref $value) {
        Chappe::post('Event', 'addHeader', @_);
        return 1;
    }
    return Chappe::call('Event', 'addHeader', @_);
}

sub getHeader {
    my ($self, $name) = @_;
    return Chappe::call('Event', 'getHeader', @_) if @_ != 2 || !defined $name || ref $name || $name eq '';
    my $headers = $self->{headers} ||= do {
        my @fields = split /\0/, $self->_read->[1], -1;
        pop @fields;
        my %headers;
        # The first of several headers of a name counts.
        while (@fields) { my $value = pop @fields; $headers{lc pop @fields} = $value }
        \%headers;
    };
    my $value = $headers->{lc $name};
    return $value if defined $value || ($name ne '_body' && index($name, '[') < 0);
    return Chappe::call('Event', 'getHeader', @_);
}

sub getBody { return $_[0]->_read->[2] }

sub getType { return $_[0]->_read->[0] }

# What the server says the event has: its type, its headers, its body.
sub _read {
    my ($self) = @_;
    Chappe::alive($self);
    return $self->{content} ||= Chappe::content($self);
}

sub _changed { delete @{$_[0]}{qw(content headers)}; return }

package freeswitch::API;
our @ISA = ('freeswitch::Object');
__PACKAGE__->_methods(qw(execute executeString getTime));

package freeswitch::EventConsumer;
our @ISA = ('freeswitch::Object');
__PACKAGE__->_methods(qw(bind pop cleanup));

package freeswitch::Dbh;
our @ISA = ('freeswitch::Object');
__PACKAGE__->_methods(
    qw(connected query_rows affected_rows test_reactive last_error clear_error load_extension release));

sub query {
    my ($self, $sql, $callback) = @_;
    my $rows = Chappe::call('Dbh', 'query', $self, $sql, $callback ? $callback : ());
    return $rows unless ref $rows;
    for my $row (@$rows) {
        last if $callback->($row);
    }
    return 1;
}

package freeswitch::Stream;
our @ISA = ('freeswitch::Object');
__PACKAGE__->_methods(qw(write raw_write read get_data));

# What belongs to calls: the server says so.
package freeswitch::Session;
our @ISA = ('freeswitch::Object');

package freeswitch::CoreSession;
our @ISA = ('freeswitch::Session');
sub _class { return 'Session' }

package freeswitch::IVRMenu;
our @ISA = ('freeswitch::Object');

package freeswitch::DTMF;
our @ISA = ('freeswitch::Object');

$INC{'freeswitch.pm'} = '<chappe freeswitch.pm>';

1;
