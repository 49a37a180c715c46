package io.vmm4j.network;

import static io.vmm4j.network.TcpSegment.ACK;
import static io.vmm4j.network.TcpSegment.FIN;
import static io.vmm4j.network.TcpSegment.PSH;
import static io.vmm4j.network.TcpSegment.RST;
import static io.vmm4j.network.TcpSegment.SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.channel.ByteRing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** TCP (RFC 9293) with a guest whose segments are made by hand. */
class TcpTest {
  private final StackBench bench = new StackBench(true);
  private final StackBench.Peer peer = bench.peer(40_000, StackBench.OUTSIDE, 80);

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }

  @Test
  void aConnectionCarriesBytesBothWaysAndEndsHalfByHalf() {
    StackBench.Host host = peer.open();
    assertThat(bench.reached.getFirst().toString()).isEqualTo("/93.184.216.34:80");
    assertThat(host.opened).isTrue();

    peer.send(ACK | PSH, text("GET"));
    assertThat(host.heard()).isEqualTo(text("GET"));
    peer.seq += 3;
    assertThat(peer.only().ack()).isEqualTo(peer.seq);

    // the guest's half ends; the host's goes on
    peer.send(ACK | FIN);
    peer.seq++;
    assertThat(host.outputEnded).isTrue();
    assertThat(peer.only().ack()).isEqualTo(peer.seq);
    host.say(text("answer"));
    bench.stack.flush();
    assertThat(peer.take()).isEqualTo(text("answer"));
    assertThat(host.closed).isFalse();

    host.end();
    bench.stack.flush();
    TcpSegment last = peer.only();
    assertThat(last.flags()).isEqualTo(FIN | ACK);
    peer.ack = last.seq() + 1;
    peer.send(ACK);
    assertThat(host.closed).isTrue();
    assertThat(host.reset).isEmpty();
    // a late FIN is still answered, and then it is gone
    peer.sendAt(peer.seq - 1, FIN | ACK);
    assertThat(peer.only().flags()).isEqualTo(ACK);
    bench.pass(2000);
    assertThat(bench.stack.tcp().count()).isZero();
  }

  @Test
  void nothingIsOpenedBeforeTheHostsSideIs() {
    peer.send(SYN);
    assertThat(peer.segments()).isEmpty();
    bench.hosts.getFirst().reset("not yet");
    // a repeated SYN opens no second one
    peer.send(SYN);
    assertThat(bench.hosts).hasSize(1);
  }

  @Test
  void whatTheHostRefusesIsRefused() {
    StackBench.Peer refused = bench.peer(40_001, StackBench.OUTSIDE, 1);
    refused.send(SYN);
    TcpSegment answer = refused.only();
    assertThat(answer.flags()).isEqualTo(RST | ACK);
    assertThat(answer.ack()).isEqualTo(refused.seq + 1);
  }

  @Test
  void whatIsLostIsSentAgainLaterAndLater() {
    StackBench.Host host = peer.open();
    host.say(text("lost"));
    bench.stack.flush();
    assertThat(peer.segments()).hasSize(1);
    bench.pass(900);
    assertThat(peer.segments()).isEmpty();
    bench.pass(200);
    assertThat(peer.segments()).hasSize(1);
    bench.pass(1800);
    assertThat(peer.segments()).isEmpty();
    bench.pass(300);
    assertThat(peer.take()).isEqualTo(text("lost"));
    bench.pass(60_000);
    assertThat(peer.segments()).isEmpty();
  }

  @Test
  void aGuestThatNeverAnswersIsGivenUp() {
    StackBench.Host host = peer.open();
    host.say(text("lost"));
    bench.stack.flush();
    bench.pass(15 * 60_000);
    assertThat(host.reset).hasValueSatisfying(why -> assertThat(why).contains("does not answer"));
    assertThat(peer.segments().getLast().is(RST)).isTrue();
    assertThat(bench.stack.tcp().count()).isZero();
  }

  @Test
  void threeDuplicatesBringTheLostSegmentAtOnce() {
    StackBench.Host host = peer.open();
    host.say(bytes(8000));
    bench.stack.flush();
    List<TcpSegment> sent = peer.segments();
    assertThat(sent).hasSizeGreaterThan(3);
    for (int i = 0; i < 3; i++) {
      peer.send(ACK); // the first was lost, the others have come
    }
    TcpSegment again = peer.only();
    assertThat(again.seq()).isEqualTo(sent.getFirst().seq());
    assertThat(again.length()).isEqualTo(sent.getFirst().length());
  }

  @Test
  void aWindowOfZeroIsTriedAndNothingIsLost() {
    StackBench.Host host = peer.open();
    peer.window = 0;
    peer.send(ACK);
    byte[] all = bytes(5000);
    host.say(all);
    bench.stack.flush();
    assertThat(peer.segments()).isEmpty();
    bench.pass(1200);
    TcpSegment probe = peer.only();
    assertThat(probe.length()).isEqualTo(1);
    peer.send(ACK); // still no room
    assertThat(peer.segments()).isEmpty();

    // a guest that answers is not given up
    for (int i = 0; i < 60; i++) {
      bench.pass(60_000);
      peer.segments();
      peer.send(ACK);
    }
    assertThat(host.reset).isEmpty();
    peer.window = 0xFFFF;
    peer.send(ACK);
    assertThat(peer.take()).isEqualTo(all);
  }

  @Test
  void aSlowHostShutsTheWindowAndOpensItAgain() {
    StackBench.Host host = peer.open();
    host.takeAtMost(0);
    byte[] all = bytes(200_000);
    int sent = 0;
    TcpSegment answer;
    do {
      byte[] piece = Arrays.copyOfRange(all, sent, Math.min(all.length, sent + 1000));
      // of the last one there is room for a part only, and none for its FIN
      boolean last = sent + piece.length > TcpConnection.BUFFER_BYTES;
      peer.sendAt(peer.seq + sent, last ? ACK | FIN : ACK, piece);
      answer = peer.segments().getLast();
      sent = answer.ack() - peer.seq;
    } while (answer.window() > 0);
    assertThat(sent).isEqualTo(TcpConnection.BUFFER_BYTES);

    host.takeAtMost(Integer.MAX_VALUE);
    bench.stack.flush();
    assertThat(peer.only().window()).isGreaterThan(10_000);
    assertThat(host.heard()).isEqualTo(Arrays.copyOf(all, sent));
    assertThat(host.outputEnded).isFalse();
  }

  @Test
  void whatComesOutOfOrderIsAskedForAndWhatComesTwiceIsTakenOnce() {
    StackBench.Host host = peer.open();
    peer.sendAt(peer.seq + 3, ACK, text("def"));
    assertThat(peer.only().ack()).isEqualTo(peer.seq);
    peer.sendAt(peer.seq, ACK, text("abc"));
    peer.sendAt(peer.seq, ACK, text("abcdef"));
    peer.sendAt(peer.seq + 5, ACK | FIN, text("fg"));
    assertThat(host.heard()).isEqualTo(text("abcdefg"));
    assertThat(host.outputEnded).isTrue();
    assertThat(peer.segments().getLast().ack()).isEqualTo(peer.seq + 8);
  }

  @Test
  void aResetEndsItOnlyAtTheRightPlace() {
    StackBench.Host host = peer.open();
    peer.sendAt(peer.seq + 100, RST);
    assertThat(host.reset).isEmpty();
    assertThat(peer.only().flags()).as("RFC 5961, 3.2").isEqualTo(ACK);
    peer.sendAt(peer.seq - 1, RST);
    assertThat(host.reset).isEmpty();
    peer.send(RST);
    assertThat(host.reset).isPresent();
    assertThat(bench.stack.tcp().count()).isZero();
  }

  @Test
  void anAcknowledgementOfWhatWasNeverSentIsNotTaken() {
    StackBench.Host host = peer.open();
    host.say(text("x"));
    bench.stack.flush();
    peer.segments();
    peer.ack += 1000;
    peer.send(ACK);
    assertThat(peer.only().flags()).isEqualTo(ACK);
    peer.ack -= 1000;
    bench.pass(1200);
    assertThat(peer.take()).isEqualTo(text("x"));
  }

  @Test
  void aHostThatBreaksIsAResetForTheGuest() {
    StackBench.Host host = peer.open();
    host.breakDown();
    bench.stack.flush();
    assertThat(peer.only().is(RST)).isTrue();
    assertThat(bench.stack.tcp().count()).isZero();
  }

  @Test
  void aConnectionIntoTheGuestIsOpenedAndRefused() throws IOException {
    learn();
    StackBench.Host[] made = new StackBench.Host[1];
    StackBench.Peer listener = into(8080, made);
    listener.sendAt(5000, SYN | ACK);
    listener.seq = 5001;
    assertThat(made[0].opened).isTrue();
    assertThat(listener.only().flags()).isEqualTo(ACK);

    StackBench.Host[] second = new StackBench.Host[1];
    StackBench.Peer nobody = into(8081, second);
    nobody.sendAt(0, RST | ACK);
    assertThat(second[0].opened).isFalse();
    assertThat(second[0].reset).hasValueSatisfying(why -> assertThat(why).contains("refuses"));
  }

  private void learn() {
    bench.send(StackBench.udp(Addresses.GUEST, 9, Addresses.GATEWAY, 68, new byte[0]));
    bench.frames();
  }

  private StackBench.Peer into(int port, StackBench.Host[] made) throws IOException {
    StackBench.Peer[] peers = new StackBench.Peer[1];
    HostSideHolder holder = new HostSideHolder();
    TcpConnection connection = bench.stack.tcp().connect(port, holder);
    made[0] = new StackBench.Host(connection);
    holder.host = made[0];
    peers[0] = bench.peer(port, Addresses.GATEWAY, connection.key().remotePort());
    TcpSegment syn = peers[0].only();
    assertThat(syn.flags()).isEqualTo(SYN);
    peers[0].ack = syn.seq() + 1;
    return peers[0];
  }

  /** Stands for a side that is known once the connection is. */
  private static final class HostSideHolder implements HostSide {
    private HostSide host;

    @Override
    public void opened() {
      host.opened();
    }

    @Override
    public int read(ByteRing target) throws IOException {
      return host.read(target);
    }

    @Override
    public void write(ByteRing source) throws IOException {
      host.write(source);
    }

    @Override
    public void shutdownOutput() throws IOException {
      host.shutdownOutput();
    }

    @Override
    public void await(boolean input, boolean room) {
      host.await(input, room);
    }

    @Override
    public void close() {
      host.close();
    }

    @Override
    public void reset(String why) {
      host.reset(why);
    }
  }

  @Test
  void aGuestThatRemembersAConnectionIsToldOfItsEnd() {
    StackBench.Host host = peer.open();
    host.say(text("some"));
    bench.stack.flush();
    peer.take();
    byte[] saved = bench.stack.memory().toBytes();

    StackBench other = new StackBench(true);
    other.stack.restart(Memory.of(saved));
    StackBench.Peer same = other.peer(peer.port, peer.remote, peer.remotePort);
    TcpSegment reset = same.only();
    assertThat(reset.is(RST)).isTrue();
    assertThat(reset.seq()).isEqualTo(peer.ack);
    // it comes again, should it get lost
    other.pass(1200);
    assertThat(same.only().is(RST)).isTrue();
    other.pass(10_000);
    assertThat(other.stack.tcp().isTimed()).isFalse();

    // the machine's own end is reset too
    bench.stack.restart(Memory.of(saved));
    assertThat(host.reset).hasValueSatisfying(why -> assertThat(why).contains("restored"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 10, 30})
  void whatIsSentToTheGuestArrivesWholeInSpiteOfLosses(int percent) {
    Random random = new Random(percent);
    byte[] all = bytes(600_000);
    StackBench.Host host = peer.open();
    host.say(all);
    host.end();
    bench.stack.flush();
    ByteArrayOutputStream got = new ByteArrayOutputStream();
    boolean ended = false;
    for (int turn = 0; !ended; turn++) {
      assertThat(turn).isLessThan(100_000);
      List<TcpSegment> segments = peer.segments();
      if (segments.isEmpty()) {
        bench.pass(100);
      }
      for (TcpSegment s : segments) {
        if (random.nextInt(100) < percent) {
          continue;
        }
        if (s.seq() == peer.ack) {
          got.write(s.bytes(), s.offset(), s.length());
          peer.ack += s.span();
          ended = s.is(FIN);
        }
        if (random.nextInt(100) >= percent) {
          peer.send(ACK);
        }
      }
    }
    assertThat(got.toByteArray()).isEqualTo(all);
    assertThat(host.reset).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 10, 30})
  void whatTheGuestSendsArrivesWholeInSpiteOfLosses(int percent) {
    Random random = new Random(percent);
    byte[] all = bytes(600_000);
    peer.seq = -70_000; // goes round as well
    StackBench.Host host = peer.open();
    int begin = peer.seq;
    int acknowledged = 0;
    for (int turn = 0; acknowledged < all.length + 1; turn++) {
      assertThat(turn).isLessThan(100_000);
      for (int at = acknowledged;
          at < Math.min(all.length + 1, acknowledged + 20_000);
          at += 1400) {
        byte[] piece =
            Arrays.copyOfRange(all, Math.min(at, all.length), Math.min(all.length, at + 1400));
        if (random.nextInt(100) >= percent) {
          peer.sendAt(begin + at, at + 1400 > all.length ? ACK | FIN : ACK, piece);
        }
      }
      for (TcpSegment s : peer.segments()) {
        if (random.nextInt(100) >= percent) {
          acknowledged = Math.max(acknowledged, s.ack() - begin);
        }
      }
    }
    assertThat(host.heard()).isEqualTo(all);
    assertThat(host.outputEnded).isTrue();
  }

  @Test
  void connectionsAreBounded() {
    for (int i = 0; i < Tcp.MOST_CONNECTIONS + 10; i++) {
      bench.peer(1 + i, StackBench.OUTSIDE, 80).send(SYN);
    }
    assertThat(bench.stack.tcp().count()).isEqualTo(Tcp.MOST_CONNECTIONS);
    assertThat(peer.segments()).hasSize(10).allMatch(s -> s.is(RST));
  }

  @Test
  void anIsolatedGuestReachesNothing() {
    StackBench isolated = new StackBench(false);
    for (int to : new int[] {StackBench.OUTSIDE, Addresses.GATEWAY, Addresses.NAME_SERVER}) {
      StackBench.Peer one = isolated.peer(40_000, to, 53);
      one.send(SYN);
      assertThat(one.only().is(RST)).isTrue();
    }
    assertThat(isolated.reached).isEmpty();
  }

  @Test
  void addressesOfTheHostAloneAreNotReached() {
    for (int to : new int[] {0x7F00_0001, 0, 0xA9FE_A9FE, 0xE000_0001, Addresses.NETWORK + 7}) {
      StackBench.Peer one = bench.peer(40_000, to, 80);
      one.send(SYN);
      assertThat(one.only().is(RST)).isTrue();
    }
    assertThat(bench.reached).isEmpty();
  }

  @Test
  void randomSegmentsThrowNothing() {
    peer.open();
    Random random = new Random(7);
    for (int i = 0; i < 50_000; i++) {
      int at =
          peer.seq + (random.nextBoolean() ? random.nextInt(70_000) - 35_000 : random.nextInt());
      byte[] frame =
          StackBench.tcp(
              peer.port,
              peer.remote,
              peer.remotePort,
              at,
              peer.ack + random.nextInt(-3, 4),
              random.nextInt(64) & ~(random.nextInt(10) == 0 ? 0 : RST),
              random.nextInt(0x10000),
              new byte[4 * random.nextInt(10)]);
      if (random.nextInt(4) == 0) {
        frame = Arrays.copyOf(frame, random.nextInt(frame.length + 1));
      }
      bench.send(frame);
      bench.frames();
      if (i % 100 == 0) {
        bench.pass(40);
        bench.hosts.getFirst().say(new byte[10]);
      }
    }
    assertThat(bench.stack.memory().connections()).hasSizeLessThan(3);
    assertThat(Map.copyOf(bench.stack.memory().neighbours())).hasSize(1);
  }
}
