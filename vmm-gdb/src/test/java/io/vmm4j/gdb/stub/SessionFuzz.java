package io.vmm4j.gdb.stub;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.gdb.protocol.Command;
import io.vmm4j.gdb.protocol.Frame;
import io.vmm4j.gdb.protocol.FrameReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A target for fuzzing: whatever a debugger sends, a session with a machine has an answer, the
 * answer comes out of its frame as it went in, and the machine can be paused afterwards. {@code
 * ./fuzz gdb} lets Jazzer look for exceptions to that; {@link SessionCorpusTest} repeats what it
 * has tried.
 */
public final class SessionFuzz {
  /** Counts in memory for ever: {@code inc word [0x500]; jmp} back. */
  private static final byte[] LOOP = {(byte) 0xFF, 0x06, 0x00, 0x05, (byte) 0xEB, (byte) 0xFA};

  private static final int LONGEST_ANSWER = 2 * FrameReader.MOST_BYTES;

  private static @Nullable Vm machine;

  private SessionFuzz() {}

  /**
   * A session. Called by Jazzer.
   *
   * @param packets without their frames, each ended by a line feed
   */
  public static void fuzzerTestOneInput(byte[] packets) {
    Vm vm = machine();
    Session session = new Session(vm, Optional.empty());
    int begin = 0;
    for (int i = 0; i <= packets.length; i++) {
      if (i == packets.length || packets[i] == '\n') {
        packet(session, Arrays.copyOfRange(packets, begin, i));
        begin = i + 1;
      }
    }
    session.interrupt();
    session.close();
    if (!(vm.state() instanceof VmState.Ended)) {
      vm.pause();
      if (!vm.debugger().breakpoints().isEmpty()) {
        throw new IllegalStateException("breakpoints are left: " + vm.debugger().breakpoints());
      }
    }
  }

  private static void packet(Session session, byte[] payload) {
    if (Command.parse(payload) instanceof Command.Monitor) {
      return; // it may write files
    }
    if (session.packet(payload) instanceof Answer.Reply reply) {
      byte[] answer = reply.payload();
      if (answer.length > LONGEST_ANSWER) {
        throw new IllegalStateException("an answer of %d bytes".formatted(answer.length));
      }
      if (!Arrays.equals(answer, unframed(FrameReader.frame(answer)))) {
        throw new IllegalStateException("no frame holds " + Arrays.toString(answer));
      }
    }
  }

  private static byte[] unframed(byte[] frame) {
    FrameReader reader = new FrameReader();
    ByteArrayOutputStream payload = new ByteArrayOutputStream();
    for (byte b : frame) {
      reader
          .accept(b)
          .ifPresent(found -> {
            switch (found) {
              case Frame.Packet packet -> payload.writeBytes(packet.payload());
              // Answers may be longer than what a debugger may send.
              case Frame.TooLong tooLong -> payload.reset();
              default -> throw new IllegalStateException("the frame has " + found);
            }
          });
    }
    return payload.toByteArray();
  }

  /** Closes what sessions have left. */
  static void close() {
    if (machine != null) {
      machine.close();
      machine = null;
    }
  }

  /** One for all sessions, until one ends it. */
  private static Vm machine() {
    Vm present = machine;
    if (present != null && !(present.state() instanceof VmState.Ended)) {
      return present;
    }
    close();
    try {
      Path image = Files.createTempFile("session-fuzz", ".bin");
      try {
        Files.write(image, LOOP);
        Vm vm =
            Vm.create(
                VmSpec.builder("fuzz")
                    .backend(Backends.software())
                    .memory(MemorySize.mebibytes(2))
                    .cpus(2)
                    .clock(ClockMode.REAL)
                    .boot(new BootSource.FlatRealMode(image, 0x10000))
                    .build());
        machine = vm;
        return vm;
      } finally {
        Files.delete(image);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
