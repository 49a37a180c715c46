package io.vmm4j.software.machinecode.verify;

import java.util.List;

/**
 * What machine code and Java have agreed on: where things lie, as offsets from the base of the
 * state block, and who may touch them.
 *
 * @param fields what blocks may access; no access may go beyond one
 * @param pageRip where RIP of the page lies; a field too
 * @param exit where code says why it left, 4 bytes
 * @param temporaries where an instruction keeps values; fields of 8 bytes too
 * @param systemFlags RFLAGS but for the arithmetic flags, 4 bytes; a field too
 * @param codeBase where the address of code memory lies
 * @param data the tables of data translations, one for each kind of privilege
 * @param readTag in an entry of those: the tag for loads
 * @param writeTag the tag for stores
 * @param hostPage the host's address of the page
 * @param pages the tables of code pages
 * @param pageTag in an entry of those: the page
 * @param pageTable the address of the table of its code
 * @param modes for each mode, what its code may do
 * @param stubs what only the way in and out touch
 */
public record CodeContract(
    List<Field> fields,
    int pageRip,
    int exit,
    List<Integer> temporaries,
    int systemFlags,
    int codeBase,
    Table data,
    int readTag,
    int writeTag,
    int hostPage,
    Table pages,
    int pageTag,
    int pageTable,
    List<Mode> modes,
    Stubs stubs) {

  /** What code may do with a field. */
  public enum Access {
    /** All code reads it, none writes it. */
    READ,

    /** All code reads and writes it. */
    WRITE,

    /** All code reads it, the guest's supervisor writes it. */
    SUPERVISOR_WRITES,

    /** The guest's supervisor reads and writes it. */
    SUPERVISOR
  }

  /**
   * A field.
   *
   * @param offset from the base
   * @param bytes its size
   * @param access who may access it
   */
  public record Field(int offset, int bytes, Access access) {
    boolean allows(boolean writes, boolean supervisor) {
      return switch (access) {
        case READ -> !writes;
        case WRITE -> true;
        case SUPERVISOR_WRITES -> !writes || supervisor;
        case SUPERVISOR -> supervisor;
      };
    }
  }

  /**
   * The shape of a table by page. An entry belongs to the pages whose number is its own modulo the
   * number of entries; the tag of an entry without a page is a page of another entry.
   *
   * @param entries how many, a power of two
   * @param entryBytes the size of one, a power of two
   */
  public record Table(int entries, int entryBytes) {
    private static final int PAGE_SHIFT = 12;

    /** Whether (address >> shift & mask) << left is where the entry of an address lies. */
    boolean isEntry(int shift, long mask, int left) {
      return mask << left == (long) (entries - 1) * entryBytes
          && shift - left == PAGE_SHIFT - Integer.numberOfTrailingZeros(entryBytes);
    }
  }

  /**
   * What code of a mode may do.
   *
   * @param data where its data translations lie
   * @param pages where its code pages lie
   * @param supervisor whether it is for the guest's supervisor
   * @param accessSet the mode that comes after RFLAGS.AC was set; for the supervisor
   * @param accessCleared the mode that comes after it was cleared
   */
  public record Mode(int data, int pages, boolean supervisor, int accessSet, int accessCleared) {}

  /**
   * Fields of the way in and out.
   *
   * @param general the general registers, 8 bytes each
   * @param vectors XMM0 to XMM15, or YMM0 to YMM15
   * @param vectorBytes the bytes of each
   * @param flags the arithmetic flags, 2 bytes
   * @param budget the budget, 4 bytes
   * @param guestMxcsr MXCSR of the guest
   * @param hostMxcsr MXCSR of the host
   * @param entry the address to go to
   */
  public record Stubs(
      int general,
      int vectors,
      int vectorBytes,
      int flags,
      int budget,
      int guestMxcsr,
      int hostMxcsr,
      int entry) {}
}
