package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A machine of the command line with a debugger. */
@Timeout(1200)
class GdbOptionTest {
  /**
   * A Multiboot kernel that ends with 5 in the debug exit port.
   *
   * <pre>
   * 00 magic, flags (addresses follow), checksum, header, load, end of load, end of bss, entry
   * 20 mov al, 5
   *    out 0xF4, al
   *    hlt
   * </pre>
   */
  private static final String KERNEL =
      "02b0ad1b 00000100 fe4f51e4 00001000 00001000 00000000 00000000 20001000 b005 e6f4 f4";

  private static final int EXIT_OF_5 = 5 << 1 | 1;

  @TempDir private Path directory;

  @Test
  void aMachineStandsUntilItsDebuggerContinuesIt() throws Exception {
    // given a machine that waits for a debugger
    Path kernel = directory.resolve("kernel");
    Files.write(kernel, HexFormat.of().parseHex(KERNEL.replace(" ", "")));
    Path socket = directory.resolve("gdb");
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams =
        new Streams(
            InputStream.nullInputStream(),
            new ByteArrayOutputStream(),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            false);
    CompletableFuture<Integer> machine =
        CompletableFuture.supplyAsync(
            () ->
                new Main(streams)
                    .execute(
                        "run",
                        "--backend",
                        "software",
                        "--kernel",
                        kernel.toString(),
                        "--gdb",
                        socket.toString(),
                        "--gdb-wait"),
            task -> Thread.ofPlatform().daemon().start(task));
    while (!Files.exists(socket) && !machine.isDone()) {
      Thread.onSpinWait();
    }
    assertThat(machine).as(err.toString(StandardCharsets.UTF_8)).isNotDone();

    // when a debugger continues it to the kernel's first instruction, and on
    try (SocketChannel gdb = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      assertThat(ask(gdb, "$?#3f")).isEqualTo("+$T05thread:1;#d7");
      assertThat(ask(gdb, "$Z0,100020,1#36")).isEqualTo("+$OK#9a");
      assertThat(ask(gdb, "$c#63")).isEqualTo("+$T05thread:1;#d7");
      assertThat(ask(gdb, "$p10#d1")).isEqualTo("+$2000100000000000#03");
      assertThat(ask(gdb, "$c#63")).isEqualTo("+$W05#bc");
    }

    // then it ends as it would have
    assertThat(machine.get(10, TimeUnit.MINUTES)).isEqualTo(EXIT_OF_5);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("stands until a debugger at");
    assertThat(socket).doesNotExist();
  }

  /** Sends a packet; the acknowledgement and the packet that come back. */
  private static String ask(SocketChannel gdb, String packet) throws IOException {
    gdb.write(ByteBuffer.wrap(packet.getBytes(StandardCharsets.US_ASCII)));
    StringBuilder came = new StringBuilder();
    ByteBuffer one = ByteBuffer.allocate(1);
    while (came.indexOf("#") < 0 || came.length() < came.indexOf("#") + 3) {
      assertThat(gdb.read(one.clear())).as("more than '%s'", came).isEqualTo(1);
      came.append((char) one.get(0));
    }
    return came.toString();
  }
}
