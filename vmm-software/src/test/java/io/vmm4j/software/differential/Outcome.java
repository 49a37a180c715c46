package io.vmm4j.software.differential;

/**
 * What a case has come to: it always ends with an exception, at its last instruction if not before.
 *
 * @param vector of the exception; {@link #ENDLESS} if there was none in time, {@link #TRIPLE_FAULT}
 * @param errorCode 0 where there is none
 * @param cr2 the address of a page fault; of no meaning for other exceptions
 * @param dr6 the causes of a debug exception, or {@link #UNKNOWN}
 * @param state as the exception has saved it
 * @param memory an image of the pages
 */
record Outcome(int vector, long errorCode, long cr2, long dr6, UserState state, byte[] memory) {
  static final int ENDLESS = 0x100;
  static final int TRIPLE_FAULT = 0x101;
  static final long UNKNOWN = -1;
}
