package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import java.io.BufferedInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.ObjLongConsumer;

/**
 * The parents of a delta: found from the newest to the whole one, read the other way round. No more
 * than one of them is open at a time.
 */
final class ParentChain {

  /**
   * A parent.
   *
   * @param child the snapshot that names it
   * @param named what that says of it
   * @param parent what it says of its own parent
   */
  private record Link(UUID child, Prologue.Parent named, Optional<Prologue.Parent> parent) {}

  private final SnapshotResolver resolver;
  private final SnapshotLimits limits;
  private final Deque<Link> oldestFirst = new ArrayDeque<>();

  private ParentChain(SnapshotResolver resolver, SnapshotLimits limits) {
    this.resolver = resolver;
    this.limits = limits;
  }

  /** Finds all parents, by their prologues. */
  static ParentChain find(Prologue newest, SnapshotResolver resolver, SnapshotLimits limits)
      throws IOException {
    ParentChain chain = new ParentChain(resolver, limits);
    Set<UUID> seen = new HashSet<>();
    seen.add(newest.id());
    Prologue child = newest;
    while (child.parent().isPresent()) {
      Prologue.Parent named = child.parent().get();
      if (!seen.add(named.id())) {
        throw new SnapshotException.ParentLoop(named.id().toString());
      }
      Prologue found = chain.prologue(child.id(), named);
      chain.oldestFirst.addFirst(new Link(child.id(), named, found.parent()));
      child = found;
    }
    return chain;
  }

  private Prologue prologue(UUID child, Prologue.Parent named) throws IOException {
    try (InputStream in = open(named)) {
      return prologue(new SnapshotReader(in, limits), child, named);
    }
  }

  /** The prologue of a parent, which must be the one that its child names. */
  private static Prologue prologue(SnapshotReader reader, UUID child, Prologue.Parent named)
      throws IOException {
    Prologue found;
    try {
      found = reader.prologue();
    } catch (SnapshotException e) {
      throw e.inParent(named.id().toString());
    }
    if (!found.id().equals(named.id())) {
      throw wrongParent(child, named, "snapshot " + found.id());
    }
    return found;
  }

  private static SnapshotException.WrongParent wrongParent(
      UUID child, Prologue.Parent named, String found) {
    return new SnapshotException.WrongParent(
        child.toString(), memoryOf(named.id(), named.sha256()), found);
  }

  private static String memoryOf(UUID id, String sha256) {
    return "snapshot %s with the memory digest %s".formatted(id, sha256);
  }

  private InputStream open(Prologue.Parent named) throws IOException {
    try {
      return new BufferedInputStream(resolver.open(named.id(), named.sha256()), 1 << 16);
    } catch (NoSuchFileException | FileNotFoundException e) {
      SnapshotException missing = new SnapshotException.MissingParent(named.id().toString());
      missing.initCause(e);
      throw missing;
    }
  }

  /**
   * Reads all parents.
   *
   * @param newest the machine of the snapshot whose parents they are
   * @param memory by region name, all regions of that machine, of zeros
   * @param filling told of what is going to be written
   * @return the digest of the memory of the last
   */
  MemoryDigest read(
      MachineDescription newest, Map<String, MemorySegment> memory, ObjLongConsumer<String> filling)
      throws IOException {
    newest
        .regions()
        .forEach(region -> {
          if (!memory.containsKey(region.name())) {
            throw new IllegalArgumentException(
                "the sink gave no memory for region '" + region.name() + "', which a delta needs");
          }
        });
    Optional<MemoryDigest> digest = Optional.empty();
    for (Link link : oldestFirst) {
      digest = Optional.of(read(link, newest, memory, filling, digest));
    }
    MemoryDigest last = digest.orElseThrow();
    last.misfit(newest).ifPresent(ParentChain::refuse);
    return last;
  }

  private MemoryDigest read(
      Link link,
      MachineDescription newest,
      Map<String, MemorySegment> memory,
      ObjLongConsumer<String> filling,
      Optional<MemoryDigest> parent)
      throws IOException {
    String id = link.named().id().toString();
    try (InputStream in = open(link.named())) {
      SnapshotReader reader = new SnapshotReader(in, limits);
      reader.onFilling(filling);
      Prologue prologue = prologue(reader, link.child(), link.named());
      if (!prologue.parent().equals(link.parent())) {
        throw wrongParent(
            link.child(), link.named(), "one that names another parent when it is opened again");
      }
      MemoryDigest digest;
      try {
        MachineDescription machine = reader.machine();
        Map<String, Long> sizes = new LinkedHashMap<>();
        machine.regions().forEach(region -> sizes.put(region.name(), region.bytes()));
        MemoryDigest.misfit(sizes, newest).ifPresent(ParentChain::refuse);
        parent.flatMap(digestOf -> digestOf.misfit(machine)).ifPresent(ParentChain::refuse);
        digest = reader.contents(prologue, machine, memory, parent).memoryDigest().orElseThrow();
      } catch (SnapshotException e) {
        throw e.inParent(id);
      }
      if (!digest.sha256().equals(link.named().sha256())) {
        throw wrongParent(link.child(), link.named(), memoryOf(link.named().id(), digest.sha256()));
      }
      return digest;
    }
  }

  private static void refuse(String misfit) {
    throw new SnapshotException.Incompatible(
        misfit, "a delta has all memory of its parent in the same size; it belongs to another");
  }
}
