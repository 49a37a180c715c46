# A Multiboot kernel that begins in 32-bit mode and goes on in 64-bit mode, for a debugger to follow.
#   as --64 -o long-mode-kernel.o long-mode-kernel.s
#   ld -N -Ttext=0x100000 -nostdlib --build-id=none -o long-mode-kernel.elf64 long-mode-kernel.o
#   objcopy -O elf32-i386 long-mode-kernel.elf64 long-mode-kernel.elf32
        .text
        .code32
        .balign 4
        .long 0x1BADB002, 0, -0x1BADB002        # the Multiboot header
        .globl _start, in_32_bits, in_64_bits
_start: movl $0x12345678, %ecx
in_32_bits:
        incl %ecx
        movl $pages + 0x1000 + 3, pages         # level 4 to level 3
        movl $pages + 0x2000 + 3, pages + 0x1000 # level 3 to level 2
        movl $0x83, pages + 0x2000              # 2 MiB at 0
        movl $pages, %eax
        movl %eax, %cr3
        movl %cr4, %eax
        orl $0x20, %eax                         # PAE
        movl %eax, %cr4
        movl $0xC0000080, %ecx                  # EFER
        rdmsr
        orl $0x100, %eax                        # LME
        wrmsr
        movl %cr0, %eax
        orl $0x80000000, %eax                   # PG
        movl %eax, %cr0
        lgdt gdtr
        ljmp $8, $long
        .code64
long:   movabsq $0x123456789ABCDEF0, %rcx
in_64_bits:
        incq %rcx
        movb $42, %al
        outb %al, $0xF4                         # the debug exit
1:      hlt
        jmp 1b
        .balign 8
gdt:    .quad 0, 0x00AF9B000000FFFF
gdtr:   .word 15
        .long gdt
        .bss
        .balign 4096
pages:  .skip 0x3000
