// A control: re-init flushes what is mapped and invalidates the I-caches. The VMM writes only then.
// Places: 3
@@
@@
-static void stage2_flush_vm(struct kvm *kvm)
+void stage2_flush_vm(struct kvm *kvm)
 { ... }

@@
@@
+void stage2_flush_vm(struct kvm *kvm);
+
 static int kvm_arch_vcpu_ioctl_vcpu_init(struct kvm_vcpu *vcpu, struct kvm_vcpu_init *init)
 {
 	<...
-	stage2_unmap_vm(vcpu->kvm);
+	{
+		stage2_flush_vm(vcpu->kvm);
+		icache_inval_all_pou();
+	}
 	...>
 }
