package io.vmm4j.software.machinecode;

import io.vmm4j.software.machinecode.verify.CodePiece;
import io.vmm4j.software.machinecode.verify.CodeVerifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What it costs to verify the code of a boot, as a program. */
final class VerifyFigures {
  private static final int ROUNDS = 20;
  private static final Path SCHEDULED = Path.of("/proc/thread-self/schedstat");

  private VerifyFigures() {}

  /** Prints nanoseconds of processor time for each instruction of the guest, round by round. */
  public static void main(String[] arguments) throws IOException {
    BootedCode booted = BootedCode.boot();
    CodeVerifier verifier = booted.verifier();
    long instructions = booted.pieces().stream().mapToLong(CodePiece::instructions).sum();
    long bytes = booted.pieces().stream().mapToLong(p -> p.code().length).sum();
    System.out.printf(
        "%d blocks, %d instructions, %d bytes, %d links, %d of them bad%n",
        booted.pieces().size(), instructions, bytes, booted.links(), booted.badLinks().size());
    for (int round = 0; round < ROUNDS; round++) {
      long begin = processorNanos();
      booted.pieces().forEach(verifier::verify);
      System.out.printf("%d ns an instruction%n", (processorNanos() - begin) / instructions);
    }
  }

  private static long processorNanos() throws IOException {
    return Long.parseLong(Files.readString(SCHEDULED).split(" ")[0]);
  }
}
