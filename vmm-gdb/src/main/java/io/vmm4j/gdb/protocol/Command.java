package io.vmm4j.gdb.protocol;

import java.util.List;
import java.util.Map;

/**
 * What a packet asks for ("Debugging with GDB", appendix E). Threads are vCPUs: thread 1 is vCPU 0;
 * {@link #ANY} and {@link #ALL} are the protocol's 0 and -1.
 */
public sealed interface Command {
  /** Any thread. */
  int ANY = 0;

  /** All threads. */
  int ALL = -1;

  /** {@code ?}: why the machine stands. */
  record WhyStopped() implements Command {}

  /** {@code g}. */
  record ReadRegisters() implements Command {}

  /** {@code G}. */
  record WriteRegisters(byte[] values) implements Command {}

  /** {@code p}. */
  record ReadRegister(int number) implements Command {}

  /** {@code P}. */
  record WriteRegister(int number, byte[] value) implements Command {}

  /** {@code m}: length not negative. */
  record ReadMemory(long address, int length) implements Command {}

  /** {@code M} and {@code X}. */
  record WriteMemory(long address, byte[] bytes) implements Command {}

  /** {@code c}, {@code C}. */
  record Continue() implements Command {}

  /** {@code s}, {@code S}: steps the thread of {@code Hc}. */
  record Step() implements Command {}

  /**
   * {@code vCont}: for a thread the first action that is for it counts; if there is none it stands.
   *
   * @param actions at least one
   */
  record Resume(List<Action> actions) implements Command {
    /**
     * What threads do.
     *
     * @param step whether they execute one instruction, else they go on
     * @param thread which, {@link #ANY} or {@link #ALL}
     */
    public record Action(boolean step, int thread) {}
  }

  /** {@code Z0} to {@code Z4}, {@code z0} to {@code z4}: type 0 to 4. */
  record ChangeBreakpoint(boolean set, int type, long address, int kind) implements Command {}

  /** {@code Hg}: which thread registers and memory are of. */
  record SelectThread(int thread) implements Command {}

  /** {@code Hc}: which thread steps. */
  record SelectStepThread(int thread) implements Command {}

  /** {@code T}. */
  record IsAlive(int thread) implements Command {}

  /** {@code qSupported}: what the client can do, by name, with {@code +}, {@code -} or a value. */
  record Supported(Map<String, String> features) implements Command {}

  /** {@code qXfer:features:read}. */
  record ReadFeatures(String annex, int offset, int length) implements Command {}

  /** {@code qfThreadInfo}. */
  record FirstThreads() implements Command {}

  /** {@code qsThreadInfo}. */
  record MoreThreads() implements Command {}

  /** {@code qThreadExtraInfo}. */
  record DescribeThread(int thread) implements Command {}

  /** {@code qC}. */
  record CurrentThread() implements Command {}

  /** {@code qAttached}. */
  record IsAttached() implements Command {}

  /** {@code QStartNoAckMode}. */
  record NoAcknowledgements() implements Command {}

  /** {@code vCont?}. */
  record AboutContinue() implements Command {}

  /** {@code qRcmd}. */
  record Monitor(String line) implements Command {}

  /** {@code D}. */
  record Detach() implements Command {}

  /** {@code k} and {@code vKill}, which alone is answered. */
  record Kill(boolean answered) implements Command {}

  /** A packet that is not known: the answer is empty. */
  record Unknown() implements Command {}

  /** A known packet that can't be read. */
  record Malformed(String why) implements Command {}

  /** What a packet asks for; never throws. */
  static Command parse(byte[] payload) {
    return CommandParser.parse(payload);
  }
}
